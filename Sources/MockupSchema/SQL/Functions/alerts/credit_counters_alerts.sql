-- Writes the alerts. The condition avoids the function call for most changes that reach no
-- threshold; the function itself ignores the others, such as a month that falls below one.
CREATE OR REPLACE TRIGGER credit_counters_alerts
  AFTER UPDATE ON mockupd.credit_counters
  FOR EACH ROW
  WHEN (NEW.year_level > OLD.year_level OR NEW.month_levels <> OLD.month_levels)
  EXECUTE FUNCTION mockupd.note_alerts();
