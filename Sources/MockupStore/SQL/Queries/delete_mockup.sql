-- Deletes a mockup, and says whether it was there and what was given back.
--
-- $1 timestamptz  now
-- $2 uuid         user                        $3 uuid     mockup
SELECT deleted, released FROM mockupd.delete_mockup($1, $2, $3)
