-- Deletes a user's own scene template, and returns whether it existed.
--
-- $1 uuid  user
-- $2 uuid  template
SELECT mockupd.delete_scene_template($1, $2)
