const MESSAGES = {
  url: 'The address is no http or https URL, or carries a user and password.',
  address: 'The address leads to a network that may not be called.',
  network: 'No connection to the address.',
  timeout: 'No answer in time.',
  'too-large': 'The answer is too large.',
  encoded: 'The answer is compressed, which was not asked for.',
} as const;

export type OutgoingFault = keyof typeof MESSAGES;

/**
 * Why a call failed, in words that tell nothing of what is there (a tenant could map the network with them). It carries no
 * cause: `ECONNREFUSED` of somebody's server must not look as if the database were away.
 */
export class OutgoingError extends Error {
  override readonly name = 'OutgoingError';
  readonly fault: OutgoingFault;

  constructor(fault: OutgoingFault) {
    super(MESSAGES[fault]);
    this.fault = fault;
  }
}
