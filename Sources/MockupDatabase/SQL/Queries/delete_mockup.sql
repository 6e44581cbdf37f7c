-- Deletes a mockup. Returns whether it existed, and the number of credits that were released.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user                        $3 uuid     mockup
SELECT deleted, released FROM mockupd.delete_mockup($1, $2, $3)
