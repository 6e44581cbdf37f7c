import FoundationEssentials
import TestSupport

/// Two years of a ledger, the current one and the year before, with open reservations and mockups.
///
/// The engine's functions write it, with injected times.
enum PlausibleYear {
  /// The user with the most credits and with mockups, who was above the soft limit in March.
  static let busiest = "0a1f3c52-7d10-4f0e-9a51-0c6a2f1d9b01"
  /// The user whose reservation has been unresolved for the longest time: 11 days.
  static let oldestStuck = "1b7e2d90-4c35-4a8b-8f07-51d2be60aa02"
  /// The user whose credits run out first.
  static let firstOut = "aebf5308-6b2d-4cbf-8f72-e1f203748b0b"
  /// The label of that user.
  static let firstOutLabel = "marta.kowalska@example.com"

  /// Writes the ledger.
  static func write(to database: MigratedDatabase) async throws {
    try await database.owner.run(statement)
  }

  private static let statement = """
    DO $$
    DECLARE
      v_now timestamptz := date_trunc('minute', now());
      v_first timestamptz :=
        date_trunc('year', v_now AT TIME ZONE 'UTC' - interval '1 year') AT TIME ZONE 'UTC';
      -- The users: id, annual budget, soft limit, mean credits a day, month with twice as much.
      v_user record;
      v_day timestamptz;
      v_time timestamptz;
      v_count integer;
      v_users uuid[];
      v_ids uuid[];
      v_credits integer[];
      v_rate numeric;
      v_share numeric;
      v_entry record;
    BEGIN
      -- Compiling thousands of short statements would take longer than running them.
      PERFORM set_config('jit', 'off', true);
      FOR v_user IN
        SELECT * FROM (VALUES
          ('\(busiest)'::uuid, 3500, 292, 9.6, 3),
          ('\(oldestStuck)', 1200, 100, 3.3, 10),
          ('2c94d6b1-1e6f-4b52-b1c3-6f7d8e9c0a03', 900, 80, 2.9, 7),
          ('3d05e8c7-98a2-4d39-a7e4-7a8b9c0d1e04', 3500, 292, 5.2, 11),
          ('4e56f9da-0b3c-4e7d-8c1f-8b9cad1e2f05', 500, 40, 1.1, 3),
          ('5f67a0eb-2d4e-4f6a-9b2d-9cadbe2f3006', 3500, 292, 2.0, 3),
          ('6a78b1fc-3e5f-4a7b-ac3e-adbecf304107', 200, 20, 0.0, 0),
          ('7b89c20d-4f60-4b8c-bd4f-becfd0415208', 0, 10, 0.0, 0),
          ('8c9ad31e-5071-4c9d-8e50-cfd0e1526309', 60, 25, 0.4, 6)
        ) AS u (id, budget, soft_limit, rate, peak)
      LOOP
        INSERT INTO auth.users (id) VALUES (v_user.id);
        INSERT INTO public.user_settings (user_id, guardrails)
        VALUES (v_user.id, jsonb_build_object(
          'annual_mockup_budget', v_user.budget, 'monthly_mockup_soft_limit', v_user.soft_limit));
        FOR v_day IN SELECT generate_series(v_first, v_now - interval '1 hour', '1 day') LOOP
          CONTINUE WHEN extract(isodow FROM v_day) > 5;
          -- A number from 0 to 1 that depends on the user and the day only.
          v_share := (hashtextextended(v_user.id || v_day::text, 0) & 1023) / 1023.0;
          v_rate := v_user.rate * 7 / 5 * (0.4 + 1.2 * v_share)
            * CASE WHEN extract(month FROM v_day) = v_user.peak THEN 1.9 ELSE 1 END;
          v_count := round(v_rate / 2);
          CONTINUE WHEN v_count = 0;
          v_time := least(
            v_day + interval '9 hours' + v_share * interval '6 hours', v_now - interval '1 hour');
          SELECT array_agg(v_user.id), array_agg(gen_random_uuid()),
            array_agg(1 + ((hashtextextended(v_day::text || n, 0) & 3) > 0)::integer)
          INTO v_users, v_ids, v_credits FROM generate_series(1, v_count) AS n;
          PERFORM mockupd.reserve(
            v_time, v_users, v_ids, v_credits,
            (SELECT array_agg(CASE WHEN n % 4 = 0 THEN 'regeneration' ELSE 'generation' END)
              FROM generate_series(1, v_count) AS n),
            array_fill(900, ARRAY[v_count]), array_fill(NULL::uuid, ARRAY[v_count]),
            array_fill(NULL::uuid, ARRAY[v_count]), array_fill('normal'::text, ARRAY[v_count]));
          PERFORM mockupd.settle(
            v_time + interval '3 minutes', v_users, v_ids,
            (SELECT array_agg(CASE WHEN n % 9 = 0 THEN 'release' ELSE 'commit' END)
              FROM generate_series(1, v_count) AS n),
            v_ids, array_fill(NULL::integer, ARRAY[v_count]), array_fill(true, ARRAY[v_count]),
            array_fill(false, ARRAY[v_count]), array_fill(NULL::integer, ARRAY[v_count]),
            (SELECT array_agg(gen_random_uuid()) FROM generate_series(1, v_count)));
          IF v_share > 0.93 THEN
            SELECT e.id INTO v_entry FROM public.mockup_credit_usage AS e
            WHERE e.user_id = v_user.id AND e.operation = 'generation'
              AND e.created_at < v_time - interval '5 days' AND NOT EXISTS (
                SELECT FROM mockupd.refunds AS r WHERE r.charge_id = e.id)
            ORDER BY e.created_at DESC LIMIT 1;
            IF FOUND THEN
              PERFORM mockupd.refund(v_time + interval '1 hour', ARRAY[v_user.id],
                ARRAY[gen_random_uuid()], ARRAY[v_entry.id], ARRAY[NULL::integer],
                ARRAY[gen_random_uuid()]);
            END IF;
          END IF;
        END LOOP;
      END LOOP;

      -- Open reservations: held now, dispatched now, and unresolved for some time.
      FOR v_user IN
        SELECT * FROM (VALUES
          ('\(busiest)'::uuid, interval '4 min', 3, 900, false),
          ('\(busiest)', interval '9 min', 2, 3600, true),
          ('\(busiest)', interval '40 min', 4, 7200, true),
          ('\(busiest)', interval '5 hours', 2, 900, true),
          ('\(busiest)', interval '2 days 3 hours', 6, 900, true),
          ('\(oldestStuck)', interval '11 days 1 hour', 4, 900, true),
          ('3d05e8c7-98a2-4d39-a7e4-7a8b9c0d1e04', interval '26 min', 1, 900, true),
          ('5f67a0eb-2d4e-4f6a-9b2d-9cadbe2f3006', interval '7 min', 8, 1800, false)
        ) AS r (user_id, age, credits, seconds, dispatched)
      LOOP
        v_time := v_now - v_user.age;
        v_ids := ARRAY[gen_random_uuid()];
        PERFORM mockupd.reserve(v_time, ARRAY[v_user.user_id], v_ids, ARRAY[v_user.credits],
          ARRAY['generation'], ARRAY[v_user.seconds], ARRAY[NULL::uuid], ARRAY[NULL::uuid],
          ARRAY['normal']);
        IF v_user.dispatched THEN
          PERFORM mockupd.settle(v_time + interval '5 seconds', ARRAY[v_user.user_id], v_ids,
            ARRAY['dispatch'], ARRAY[NULL::uuid], ARRAY[NULL::integer], ARRAY[NULL::boolean],
            ARRAY[NULL::boolean], ARRAY[NULL::integer], ARRAY[NULL::uuid]);
        END IF;
      END LOOP;

      -- One user spends three credits a day, and has one left: it runs out today.
      INSERT INTO auth.users (id) VALUES ('\(firstOut)');
      FOR v_time IN SELECT generate_series(v_now - interval '29 days', v_now, '1 day') LOOP
        v_users := ARRAY['\(firstOut)'::uuid];
        v_ids := ARRAY[gen_random_uuid()];
        PERFORM mockupd.reserve(v_time, v_users, v_ids, ARRAY[3], ARRAY['generation'], ARRAY[900],
          ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['normal']);
        PERFORM mockupd.settle(v_time, v_users, v_ids, ARRAY['commit'], v_ids,
          ARRAY[NULL::integer], ARRAY[true], ARRAY[false], ARRAY[NULL::integer],
          ARRAY[gen_random_uuid()]);
      END LOOP;
      INSERT INTO public.user_settings (user_id, guardrails)
      SELECT user_id, jsonb_build_object('annual_mockup_budget', generation + 1)
      FROM mockupd.credit_counters
      WHERE user_id = '\(firstOut)'
        AND year = extract(year FROM v_now AT TIME ZONE 'UTC')::integer;

      -- Labels, one of them long. The other users have none.
      UPDATE auth.users AS u SET email = l.email
      FROM (VALUES
        ('\(busiest)'::uuid, 'ada.lindgren@example.com'),
        ('\(oldestStuck)', 'studio.north@example.com'),
        ('\(firstOut)', '\(firstOutLabel)'),
        ('3d05e8c7-98a2-4d39-a7e4-7a8b9c0d1e04', 'jo@example.com'),
        ('5f67a0eb-2d4e-4f6a-9b2d-9cadbe2f3006',
          'bartholomew.featherstonehaugh-cholmondeley@gallery-of-modern-prints.example.com'),
        ('6a78b1fc-3e5f-4a7b-ac3e-adbecf304107', 'trial@example.com')
      ) AS l (id, email)
      WHERE l.id = u.id;

      -- Mockups, one of them failed.
      INSERT INTO public.assets (id, user_id)
      VALUES ('9dabe42f-6182-4dae-9f61-d0e1f263740a', '\(busiest)');
      INSERT INTO public.mockups (
        user_id, asset_id, scene, status, file_url, file_key, thumbnail_url, credits_used,
        error_message, created_at)
      SELECT '\(busiest)', '9dabe42f-6182-4dae-9f61-d0e1f263740a',
        (ARRAY['bedroom', 'therapy_office', 'living_room', 'reading_nook', 'home_office'])
          [1 + n % 5],
        CASE WHEN n = 3 THEN 'failed' WHEN n % 4 = 0 THEN 'approved' ELSE 'completed' END,
        CASE WHEN n = 3 THEN '' ELSE 'https://pictures.example/' || n || '.png' END,
        CASE WHEN n = 3 THEN '' ELSE 'key/' || n END,
        CASE WHEN n = 3 THEN NULL ELSE 'https://pictures.example/' || n || '-small.png' END,
        CASE WHEN n = 3 THEN 0 ELSE 1 END,
        CASE WHEN n = 3 THEN 'the vendor refused the template' END, v_now - n * interval '7 hours'
      FROM generate_series(1, 30) AS n;
    END
    $$;
    """
}
