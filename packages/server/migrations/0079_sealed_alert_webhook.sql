-- The address of an alerts' webhook is often its only password: sealed from now on. An address that stands in webhook_url
-- (written before, or by an older process during an upgrade) holds until the next change of the settings.
alter table log_alert_settings add column webhook_address bytea;
