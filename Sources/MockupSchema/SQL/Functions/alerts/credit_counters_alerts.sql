-- Writes the alerts. The condition spares the changes that reach no threshold a function call.
CREATE OR REPLACE TRIGGER credit_counters_alerts
  AFTER UPDATE ON mockupd.credit_counters
  FOR EACH ROW
  WHEN (NEW.year_level > OLD.year_level OR NEW.month_levels <> OLD.month_levels)
  EXECUTE FUNCTION mockupd.note_alerts();
