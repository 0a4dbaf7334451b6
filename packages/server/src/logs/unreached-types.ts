import type { LogType } from './log-types.ts';

/** Types of Auth0's catalogue that nothing causes yet, by what they wait for. Whoever records one takes it out (log-types.test.ts). */
// biome-ignore format: a reason a paragraph
export const UNREACHED: Readonly<Record<string, readonly LogType[]>> = {
  'one event a call: changes over the Management API are `sapi`, and calls that change nothing are not logged': [
    'emailChanged', 'emailChangeFailed', 'usernameChanged', 'usernameChangeFailed', 'phoneNumberChanged', 'phoneNumberChangeFailed',
    'userDeleted', 'userDeletedLegacy', 'userDeletionFailed', 'managementCallFailed', 'verificationEmailRequestFailed',
  ],
  'attack protection and limits are not built': [
    'accountBlocked', 'addressBlocked', 'breachedPasswordAtLogin', 'breachedPasswordAtReset', 'breachedPasswordAtSignUp', 'loginsOfUserLimited',
    'userUnblocked', 'userinfoLimited', 'delegationLimited', 'rateLimitNear', 'burstAllowanceStarted', 'phoneMessagesLimited', 'preLoginAssessed',
    'networkAclSummarised',
  ],
  'multi-factor authentication and passkeys are not built': [
    'authenticatorMaximumReached', 'mfaAttemptsLimited', 'mfaDeviceUpdated', 'mfaEmailSent', 'mfaEmailVerificationFailed', 'mfaEmailVerified',
    'mfaEnrolled', 'mfaEnrolmentFailed', 'mfaEnrolmentStarted', 'mfaFailed', 'mfaModuleSwitched', 'mfaOobExchangeFailed', 'mfaOobExchanged',
    'mfaOtpExchangeFailed', 'mfaOtpExchanged', 'mfaPushFailed', 'mfaPushRejected', 'mfaPushSent', 'mfaRecovered', 'mfaRecoveryAttemptsLimited',
    'mfaRecoveryCodeExchangeFailed', 'mfaRecoveryCodeExchanged', 'mfaRecoveryFailed', 'mfaRequired', 'mfaSettingsChanged', 'mfaSmsFailed',
    'mfaSmsSent', 'mfaStarted', 'mfaSucceeded', 'mfaUnenrolled', 'mfaUserDeleted', 'mfaVerificationEmailFailed', 'mfaVerificationEmailSent',
    'mfaVoiceCallFailed', 'mfaVoiceCallPlaced', 'webauthnChallengeFailed', 'webauthnEnrolmentFailed', 'passkeyChallengeFailed',
    'passkeyChallengeStarted', 'passkeyMfaOobExchanged', 'passkeyMfaOtpExchanged', 'passkeyMfaRecoveryCodeExchanged',
    'ownAuthenticationMethodChangeFailed', 'ownAuthenticationMethodChanged',
  ],
  'passwordless login is not built': ['passwordlessCodeSent', 'passwordlessLinkSent', 'passwordlessOtpExchangeFailed'],
  'logins at other systems, their tokens and their logouts are not built': [
    'accountConnectFailed', 'accountConnected', 'accountDisconnectFailed', 'accountDisconnected', 'connectorLoginFailed', 'connectorOffline',
    'connectorOnline', 'connectorProvisioningFailed', 'federatedLogoutFailed', 'nativeSocialLoginFailed', 'nativeSocialLoginSucceeded',
    'tokenVaultExchangeFailed', 'tokenVaultExchanged', 'identityAssertionExchangeFailed', 'identityAssertionExchanged', 'jwtBearerExchangeFailed',
    'universalLogoutFailed', 'universalLogoutSucceeded', 'selfServiceSsoFailed', 'selfServiceSsoProgressed', 'selfServiceSsoSucceeded',
  ],
  'provisioning (SCIM, directories, imports) is not built': [
    'inboundDirectorySyncFailed', 'inboundDirectorySyncFinished', 'inboundDirectorySyncStarted', 'scimFailed', 'scimSucceeded', 'userImportFailed',
    'userManagementWarned',
  ],
  'organizations are not built': ['invitationAccepted', 'invitationFailed', 'organizationMemberAdded'],
  'CIBA, delegation and rich consents are not built': [
    'cibaExchangeFailed', 'cibaExchanged', 'cibaRequestAccepted', 'cibaRequestRefused', 'delegatedCodeExchangeFailed', 'delegatedCodeExchanged',
    'delegatedLoginSucceeded', 'delegatedSilentAuthFailed', 'delegatedSilentAuthSucceeded', 'delegationIssued', 'delegationRefused',
    'onBehalfOfExchangeFailed', 'onBehalfOfExchanged', 'richConsentReadFailed',
  ],
  'forms, flows and screens of the customer are not built': [
    'customLoginScreenSdkNotice', 'flowExecutionCompleted', 'flowExecutionFailed', 'formSubmissionFailed', 'formSubmissionSucceeded',
  ],
  'keys of the customer (BYOK) are not built; rotation of ours is `sapi`': ['keyManagementFailed', 'keyManagementSucceeded', 'keyStateChanged'],
  "Auth0's own platform: there is none here, or nothing to tell": [
    'platformUpdateEnded', 'platformUpdateLaunched', 'platformUpdateStarted', 'systemUpdateEnded', 'systemUpdateStarted',
    'credentialsValidated', 'postChangePasswordHookSucceeded',
  ],
};
