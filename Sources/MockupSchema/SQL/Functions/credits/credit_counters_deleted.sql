-- Deletes a user's reservations when the user is deleted.
CREATE OR REPLACE TRIGGER credit_counters_deleted
  AFTER DELETE ON mockupd.credit_counters
  FOR EACH ROW EXECUTE FUNCTION mockupd.delete_reservations();
