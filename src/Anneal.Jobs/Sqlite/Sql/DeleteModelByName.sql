-- For surplus checkpoints, whose guard is in ListSurplusCheckpoints.
DELETE FROM models WHERE name = @name;
