-- expand
-- The user whom this one is, after both were merged; NULL for all others.
ALTER TABLE cordon_user ADD COLUMN merged text COLLATE "C";
