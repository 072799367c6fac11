-- Ended runs too: a worker that comes back late deserves a clear answer.
SELECT * FROM runs WHERE token_hash = @token_hash;
