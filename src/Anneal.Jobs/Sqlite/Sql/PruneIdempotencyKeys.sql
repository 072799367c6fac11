-- Done at each submission that brings a key, so the table stays as small as a day's use.
DELETE FROM idempotency_keys WHERE created_at <= @since;
