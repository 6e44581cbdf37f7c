import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// The lists of the console that have more than one page.
@Suite struct ConsoleListTests {
  /// A list in a console: its pages as CSV, in the order in which links lead to them.
  private struct List {
    let console: RunningConsole
    let cookie: (name: String, value: String)
    /// The address of the first page.
    let address: String
    /// A part of the links to other pages of this list.
    let marker: String

    /// Returns the target of a link of a page, without the part that the browser scrolls to.
    func link(_ relation: String, on target: String) async throws -> String? {
      let page = try await console.send("GET", target, fields: [cookie])
      #expect(page.status == 200, "\(target): \(page)")
      return page.text.matches(of: /rel="([a-z]+)" href="([^"]+)"/)
        .filter { $0.1 == relation && $0.2.contains(marker) }
        .map { $0.2.replacing("&amp;", with: "&").prefix { $0 != "#" } }
        .map(String.init).first
    }

    /// Returns a column of a page.
    func column(_ column: String, of target: String, csv: String = "format=csv") async throws
      -> [String]
    {
      let separator = target.contains("?") ? "&" : "?"
      let response = try await console.send("GET", target + separator + csv, fields: [cookie])
      #expect(response.status == 200, "\(target): \(response)")
      let lines = response.text.components(separatedBy: "\r\n").dropLast()
        .map { $0.components(separatedBy: ",") }
      let index = try #require(lines.first?.firstIndex(of: column), "\(response)")
      return lines.dropFirst().map { $0[index] }
    }

    /// Follows the links to the next page from the first page to the last one, and checks that the
    /// links back lead to the same pages.
    func targets() async throws -> [String] {
      var targets = [address]
      while let next = try await link("next", on: try #require(targets.last)) {
        targets.append(next)
        #expect(targets.count < 50)
        guard targets.count < 50 else { break }
      }
      for (index, target) in targets.enumerated() where index > 0 {
        #expect(try await link("first", on: target) != nil)
        if index > 1 { #expect(try await link("prev", on: target) == targets[index - 1]) }
      }
      #expect(try await link("first", on: address) == nil)
      return targets
    }
  }

  /// Makes unresolved reservations of a user, each a second younger than the one before.
  private static func makeUnresolved(
    _ count: Int, of user: UUID, in database: MigratedDatabase
  ) async throws {
    try await database.owner.run(
      """
      DO $$
      DECLARE
        v_user uuid[] := ARRAY['\(user.wireText)'::uuid];
        v_id uuid[];
        v_time timestamptz;
      BEGIN
        FOR v_n IN 1..\(count) LOOP
          v_id := ARRAY[gen_random_uuid()];
          v_time := now() - interval '2 days' + v_n * interval '1 second';
          PERFORM mockupd.reserve(v_time, v_user, v_id, ARRAY[1], ARRAY['generation'], ARRAY[60],
            ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['normal']);
          PERFORM mockupd.settle(v_time, v_user, v_id, ARRAY['dispatch'], ARRAY[NULL::uuid],
            ARRAY[NULL::integer], ARRAY[NULL::boolean], ARRAY[NULL::boolean],
            ARRAY[NULL::integer], ARRAY[NULL::uuid]);
        END LOOP;
      END
      $$
      """)
  }

  @Test func `all unresolved reservations are shown by label, in the order of mockupctl stuck`()
    async throws
  {
    try await ServedUser.with(annualBudget: 1000) { _, user, database, server in
      let other = try await database.makeUser(annualBudget: 1000)
      try await database.owner.run(
        "UPDATE auth.users SET email = 'ann@x.test' WHERE id = '\(user.wireText)'")
      try await Self.makeUnresolved(130, of: user, in: database)
      try await Self.makeUnresolved(75, of: other, in: database)
      let stuck = try await Program.mockupctl.run(
        ["stuck", "--output", "jsonl", "--socket", server.socket])
      let expected = try stuck.output.split(separator: "\n").map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object?["reservation_id"] as? String)
      }
      #expect(expected.count == 205)

      try await RunningConsole.with(mockupd: server.socket) { console in
        let cookie = try await console.signIn()
        let list = List(console: console, cookie: cookie, address: "/stuck", marker: "/stuck")
        let targets = try await list.targets()
        #expect(targets.count == 3)
        var ids: [String] = []
        var labels: [String] = []
        for target in targets {
          ids += try await list.column("reservation_id", of: target)
          labels += try await list.column("user_label", of: target)
        }
        #expect(ids == expected)
        #expect(labels.filter { $0 == "ann@x.test" }.count == 130)
        #expect(labels.filter { $0.isEmpty }.count == 75)

        let page = try await console.send("GET", "/stuck", fields: [cookie])
        #expect(page.text.contains("205 reservations are unresolved; the oldest has been"))
        #expect(page.text.contains(">ann@<wbr>x.test<wbr></a>"))
        #expect(page.text.contains("<code>\(other.wireText.prefix(8))</code>"))
        let form = try await console.send(
          "GET", "/stuck/\(user.wireText)/\(expected[0])", fields: [cookie])
        #expect(form.text.contains("ann@x.test"))
      }
    }
  }

  @Test func `a reader sees what is stuck, and cannot resolve it`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await Self.makeUnresolved(1, of: user, in: database)
      let id = try #require(
        try await database.texts("SELECT id::text FROM mockupd.reservations")
          .first)
      let settings = ["MOCKUPD_POLICY_READER": "uid:\(getuid())"]
      try await database.withServer(settings: settings) { server in
        try await RunningConsole.with(mockupd: server.socket) { console in
          let cookie = try await console.signIn()
          let stuck = try await console.send("GET", "/stuck", fields: [cookie])
          #expect(stuck.status == 200 && stuck.text.contains(id), "\(stuck)")
          #expect(stuck.text.contains("1 reservation holds 1 credit, and has been unresolved for"))
          let target = "/stuck/\(user.wireText)/\(id)"
          let form = try await console.send("GET", "\(target)?credits=1", fields: [cookie])
          let token = try #require(
            form.text.firstMatch(of: /name="form_token" value="([0-9a-f]{64})"/)?.1)
          let refused = try await console.send(
            "POST", target,
            fields: [cookie, ("Content-Type", "application/x-www-form-urlencoded")],
            body: "form_token=\(token)&credits=1")
          #expect(refused.status == 502, "\(refused)")
          #expect(refused.text.contains("needs the role admin"))
        }
      }
    }
  }

  @Test func `the lists of a user have pages, and files of what a page shows`() async throws {
    try await ServedUser.with(annualBudget: 1000) { client, user, database, server in
      for _ in 0..<120 {
        let id = UUID()
        _ = try await client.credits.reserve(for: user, credits: 1, id: id)
        _ = try await client.credits.commit(id, of: user)
      }
      for _ in 0..<60 { _ = try await client.credits.reserve(for: user, credits: 1, id: UUID()) }
      try await database.owner.run(
        """
        WITH asset AS (
          INSERT INTO public.assets (user_id) VALUES ('\(user.wireText)') RETURNING user_id, id
        )
        INSERT INTO public.mockups (user_id, asset_id, scene, file_url, file_key, created_at)
        SELECT a.user_id, a.id, 'bedroom', '', '', now() - n * interval '1 minute'
        FROM asset AS a CROSS JOIN generate_series(1, 50) AS n
        """)
      var entries: [String] = []
      for try await entry in client.credits.ledger(of: user) { entries.append(entry.entryID) }
      var reservations: [String] = []
      for try await reservation in client.credits.reservations(of: user, in: [.held]) {
        reservations.append(reservation.reservationID)
      }
      var mockups: [String] = []
      for try await mockup in client.mockups.list(of: user) { mockups.append(mockup.mockupID) }

      try await RunningConsole.with(mockupd: server.socket) { console in
        let cookie = try await console.signIn()
        let lists = [
          ("ledger", "entry_id", entries, [50, 50, 20]),
          ("reservations", "reservation_id", reservations, [50, 10]),
          ("mockups", "mockup_id", mockups, [24, 24, 2]),
        ]
        for (name, column, expected, sizes) in lists {
          let list = List(
            console: console, cookie: cookie, address: "/users/\(user.wireText)",
            marker: "#\(name == "reservations" ? "holds" : name)-heading")
          var ids: [[String]] = []
          for target in try await list.targets() {
            ids.append(
              try await list.column(column, of: target, csv: "format=csv&table=\(name)"))
          }
          #expect(ids.flatMap { $0 } == expected, "\(name)")
          #expect(ids.map(\.count) == sizes, "\(name)")
        }

        // The pages of the lists are independent, and the sums are those of all reservations.
        let ledger = List(
          console: console, cookie: cookie, address: "/users/\(user.wireText)",
          marker: "#ledger-heading")
        let second = try #require(try await ledger.link("next", on: ledger.address))
        let both = List(
          console: console, cookie: cookie, address: second, marker: "#mockups-heading")
        let target = try #require(try await both.link("next", on: second))
        #expect(
          try await both.column("entry_id", of: target, csv: "format=csv&table=ledger")
            == Array(entries[50..<100]))
        #expect(
          try await both.column("mockup_id", of: target, csv: "format=csv&table=mockups")
            == Array(mockups[24..<48]))
        let page = try await console.send("GET", target, fields: [cookie])
        #expect(page.text.contains("60 open reservations hold 60 credits"))
        let invalid = try await console.send(
          "GET", "\(ledger.address)?ledger=x", fields: [cookie])
        #expect(invalid.status == 400, "\(invalid)")
      }
    }
  }
}
