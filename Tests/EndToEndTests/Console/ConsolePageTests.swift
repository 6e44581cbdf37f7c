import Foundation
import MockupClient
import TestSupport
import Testing

/// The pages of the console, with a real server.
@Suite struct ConsolePageTests {
  @Test func `the users are ordered, searched and paged`() async throws {
    try await MigratedDatabase.with { database in
      var users: [String] = []
      for budget in 1...53 {
        users.append(try await database.makeUser(annualBudget: budget).wireText)
      }
      try await database.withServer { server in
        try await RunningConsole.with(mockupd: server.socket) { console in
          let cookie = try await console.signIn()
          func ids(_ target: String) async throws -> [String] {
            let csv = try await console.send("GET", target, fields: [cookie])
            #expect(csv.status == 200, "\(csv)")
            #expect(csv["content-type"]?.hasPrefix("text/csv") == true)
            #expect(csv["content-disposition"]?.hasPrefix("attachment") == true)
            return csv.text.components(separatedBy: "\r\n").dropFirst().dropLast()
              .map { String($0.prefix { $0 != "," }) }
          }
          #expect(try await ids("/?format=csv") == Array(users.prefix(50)))
          let page = try await console.send("GET", "/", fields: [cookie])
          let next = try #require(page.text.firstMatch(of: /rel="next" href="([^"]+)"/)?.1)
            .replacing("&amp;", with: "&")
          #expect(try await ids(next + "&format=csv") == Array(users.suffix(3)))
          let second = try await console.send("GET", String(next), fields: [cookie])
          #expect(second.text.contains("rel=\"first\"") && !second.text.contains("rel=\"next\""))
          #expect(try await ids("/?sort=user&format=csv").first == users.min())

          let last = try #require(users.last)
          #expect(try await ids("/?q=\(last)&format=csv") == [last])
          #expect(try await ids("/?q=\(last.prefix(13))&format=csv") == [last])

          try await database.owner.run(
            "UPDATE auth.users SET email = 'Ann@x.test' WHERE id = '\(last)'")
          #expect(try await ids("/?q=ann%40&format=csv") == [last])
          let labelled = try await console.send("GET", "/?q=ann", fields: [cookie])
          #expect(labelled.text.contains("title=\"\(last)\">Ann@<wbr>x.test<wbr></a>"))
          let user = try await console.send("GET", "/users/\(last)", fields: [cookie])
          #expect(user.text.contains("<h1>Ann@<wbr>x.test<wbr> in "))
          #expect(user.text.contains("<code>\(last)</code>"))

          let none = try await console.send("GET", "/?q=%3Cscript%3E", fields: [cookie])
          #expect(none.text.contains("No user matches"))
          #expect(!none.text.contains("<script"))
        }
      }
    }
  }

  @Test func `an invalid request gets a page with its status`() async throws {
    try await ServedUser.with(annualBudget: 10) { _, user, _, server in
      try await RunningConsole.with(mockupd: server.socket) { console in
        let cookie = try await console.signIn()
        let cases: [(target: String, status: Int)] = [
          ("/?year=0", 400), ("/?year=10000", 400), ("/?month=13", 400), ("/?sort=name", 400),
          ("/?page=x", 400), ("/?year=2026&year=2027", 400), ("/?q=%FF", 400),
          ("/users/\(UUID().wireText)", 404), ("/users/me", 404), ("/users", 404),
          ("/users/\(user.wireText)?month=0", 400),
          ("/users/\(user.wireText)?format=csv&table=x", 400),
          ("/stuck/\(user.wireText)/\(UUID().wireText)", 404), ("/../etc/passwd", 404),
          ("/style.css", 404),
        ]
        for (target, status) in cases {
          let response = try await console.send("GET", target, fields: [cookie])
          #expect(response.status == status, "\(target): \(response)")
          #expect(response.text.contains("<h1>"), "\(target)")
        }
        for method in ["POST", "PUT", "DELETE"] {
          let response = try await console.send(method, "/", fields: [cookie], body: "")
          #expect(response.status == 405, "\(method)")
          #expect(response.text.contains("<h1>"), "\(method)")
        }
        let head = try await console.send("HEAD", "/", fields: [cookie])
        #expect(head.status == 200 && head.body.isEmpty)
      }
    }
  }

  @Test func `the stylesheet is kept under its hash`() async throws {
    try await ServedUser.with(annualBudget: 10) { _, _, _, server in
      try await RunningConsole.with(mockupd: server.socket) { console in
        let page = try await console.send("GET", "/")
        let path = String(
          try #require(page.text.firstMatch(of: /href="(\/style-[0-9a-f]+\.css)"/)?.1))
        let style = try await console.send("GET", path)
        #expect(style.status == 200)
        #expect(style["content-type"] == "text/css; charset=utf-8")
        #expect(style["cache-control"]?.contains("immutable") == true)
        let tag = try #require(style["etag"])
        let again = try await console.send("GET", path, fields: [("If-None-Match", tag)])
        #expect(again.status == 304 && again.body.isEmpty)
      }
    }
  }

  @Test func `a server that is away is a page with 503`() async throws {
    try await RunningConsole.with(mockupd: "/nonexistent/mockupd.sock") { console in
      let cookie = try await console.signIn()
      for target in ["/", "/stuck", "/server", "/users/\(UUID().wireText)"] {
        let response = try await console.send("GET", target, fields: [cookie])
        #expect(response.status == 503, "\(response)")
        #expect(response["retry-after"] == "5")
        #expect(response.text.contains("mockupd is unavailable"))
      }
    }
  }

  @Test func `a console without a role is told so`() async throws {
    try await MigratedDatabase.with { database in
      let settings = ["MOCKUPD_POLICY_ADMIN": "uid:12345"]
      try await database.withServer(settings: settings) { server in
        try await RunningConsole.with(mockupd: server.socket) { console in
          let cookie = try await console.signIn()
          let response = try await console.send("GET", "/server", fields: [cookie])
          #expect(response.status == 502, "\(response)")
          #expect(response.text.contains("needs the role admin"))
        }
      }
    }
  }

  @Test func `the page and the file of a user have the numbers of the ledger`() async throws {
    try await ServedUser.with(annualBudget: 100) { client, user, database, server in
      let spent = UUID()
      _ = try await client.credits.reserve(for: user, credits: 7, id: spent)
      _ = try await client.credits.commit(spent, of: user, credits: 5)
      _ = try await client.credits.reserve(for: user, credits: 4, id: UUID())
      try await RunningConsole.with(mockupd: server.socket) { console in
        let cookie = try await console.signIn()
        let target = "/users/\(user.wireText)"
        let page = try await console.send("GET", target, fields: [cookie])
        for text in ["<dd>100</dd>", "<dd>5 (5 %)</dd>", "<dd>4</dd>", "<dd>91</dd>"] {
          #expect(page.text.contains(text), "\(text)")
        }
        func lines(_ table: String) async throws -> [String] {
          let csv = try await console.send(
            "GET", "\(target)?format=csv&table=\(table)", fields: [cookie])
          return csv.text.components(separatedBy: "\r\n").dropLast()
        }
        #expect(try await lines("months").count == 13)
        #expect(try await lines("months").contains { $0.hasSuffix(",5,0,0,5,11,2") })
        #expect(try await [366, 367].contains(lines("days").count))
        #expect(try await lines("ledger").count == 2)
        #expect(try await lines("reservations").count == 2)
        #expect(try await lines("mockups").count == 1)
      }

      try await withTemporaryFolder { folder in
        let file = "\(folder)/report.html"
        let ending = try await Program.mockupctl.run(
          ["report", user.wireText, "--html", file, "--socket", server.socket])
        #expect(ending.exitCode == 0 && ending.output.isEmpty, "\(ending)")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.contains("<dd>91</dd>") && text.contains("<style>"))
        #expect(!text.contains("href=\"/"))
        let unwritable = try await Program.mockupctl.run(
          ["report", user.wireText, "--html", "\(folder)/none/x", "--socket", server.socket])
        #expect(unwritable.exitCode == 74, "\(unwritable)")
        let unknown = try await Program.mockupctl.run(
          ["report", UUID().wireText, "--html", file, "--socket", server.socket])
        #expect(unknown.exitCode == 3, "\(unknown)")
      }
      let history = try await Program.mockupctl.run(
        ["usage-history", user.wireText, "--socket", server.socket, "--output", "json"])
      let months = try JSONSerialization.jsonObject(with: Data(history.output.utf8))
      let used = (months as? [[String: Any]])?.compactMap { $0["used"] as? Int } ?? []
      #expect(used.reduce(0, +) == 5, "\(history)")
      for arguments in [["--from", "2026-02-30"], ["--by", "week"], ["--through", "1.2.2026"]] {
        let ending = try await Program.mockupctl.run(
          ["usage-history", user.wireText, "--socket", server.socket] + arguments)
        #expect(ending.exitCode == 64, "\(arguments): \(ending)")
      }
    }
  }
}
