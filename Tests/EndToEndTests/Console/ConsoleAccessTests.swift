import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// The console's checks of who sends a request: each test is an attack.
@Suite struct ConsoleAccessTests {
  private static func withConsole(
    _ arguments: [String] = ["--listen", "127.0.0.1:0"],
    _ body: (RunningConsole, MockupClient, UUID) async throws -> Void
  ) async throws {
    try await ServedUser.with(annualBudget: 100) { client, user, _, server in
      try await RunningConsole.with(arguments, mockupd: server.socket) { console in
        try await body(console, client, user)
      }
    }
  }

  /// Makes an unresolved reservation of 5 credits.
  private static func stuckReservation(
    _ client: MockupClient, _ user: UUID, _ database: MigratedDatabase
  ) async throws -> UUID {
    let id = UUID()
    _ = try await client.credits.reserve(for: user, credits: 5, id: id)
    _ = try await client.credits.dispatch(id, of: user)
    try await database.expireReservations(id.wireText)
    return id
  }

  @Test func `every response has the headers that restrict browsers`() async throws {
    try await Self.withConsole { console, _, user in
      let cookie = try await console.signIn()
      for target in ["/", "/users/\(user.wireText)", "/stuck", "/server", "/nothing", "/?year=x"] {
        for fields in [[cookie], []] {
          let response = try await console.send("GET", target, fields: fields)
          let expected = [
            ("cache-control", "no-store"), ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"), ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
          ]
          for (name, value) in expected { #expect(response[name] == value, "\(target) \(name)") }
          let policy = try #require(response["content-security-policy"])
          #expect(policy.contains("default-src 'none'"))
          #expect(policy.contains("frame-ancestors 'none'"))
          #expect(!policy.contains("unsafe") && !policy.contains("script-src"))
          #expect(!response.text.contains("<script") && !response.text.contains(" style=\""))
        }
      }
    }
  }

  @Test func `a request for another host is refused`() async throws {
    try await Self.withConsole { console, _, _ in
      let cookie = try await console.signIn()
      let hosts = [
        "attacker.example", "attacker.example:80", "127.0.0.1", "127.0.0.1:1",
        "127.0.0.1.attacker.example", "",
      ]
      for host in hosts {
        let response = try await HTTPExchange.send(
          "GET", "/", to: console.address, fields: [("Host", host), cookie])
        #expect(response.status == 421 || (host.isEmpty && response.status == 400), "\(host)")
        #expect(!response.text.contains("Available"))
      }
      let noHost = try await HTTPExchange.send("GET", "/", to: console.address, fields: [cookie])
      #expect([400, 421].contains(noHost.status))
      let other = console.authority.replacing("127.0.0.1", with: "LOCALHOST")
      let local = try await HTTPExchange.send(
        "GET", "/", to: console.address, fields: [("Host", other), cookie])
      #expect(local.status == 200)
    }
  }

  @Test func `a page needs a session`() async throws {
    try await Self.withConsole { console, _, user in
      let cookies = ["mockup-console=", "mockup-console=\(String(repeating: "0", count: 64))"]
      for target in ["/", "/users/\(user.wireText)", "/stuck", "/server", "/nothing"] {
        #expect(try await console.send("GET", target).status == 401)
        for cookie in cookies {
          let response = try await console.send("GET", target, fields: [("Cookie", cookie)])
          #expect(response.status == 401)
        }
      }
      #expect(try await console.send("POST", "/stuck/a/b", body: "").status == 401)
    }
  }

  @Test func `a token signs in once`() async throws {
    try await Self.withConsole { console, _, _ in
      let target = try console.signInTarget()
      #expect(try await console.send("GET", "/sign-in?token=guess").status == 403)
      let first = try await console.send("GET", target)
      #expect(first.status == 303)
      #expect(first["location"] == "/")
      let cookie = try #require(first["set-cookie"])
      for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        #expect(cookie.contains(attribute), "\(cookie)")
      }
      #expect(!cookie.contains("Domain"))
      let second = try await console.send("GET", target)
      #expect(second.status == 403)
      #expect(second["set-cookie"] == nil)

      console.process.signal(SIGHUP)
      try await eventually("a new link") { console.process.output.contains("sign in at ") }
      let line = try #require(console.process.output.split(separator: "\n").last)
      let newTarget = try #require(line.firstRange(of: "/sign-in")).lowerBound
      #expect(try await console.send("GET", target).status == 403)
      #expect(try await console.send("GET", String(line[newTarget...])).status == 303)
    }
  }

  @Test func `a resolution needs the form of the session`() async throws {
    try await ServedUser.with(annualBudget: 100) { client, user, database, server in
      let id = try await Self.stuckReservation(client, user, database)
      try await RunningConsole.with(mockupd: server.socket) { console in
        let cookie = try await console.signIn()
        let target = "/stuck/\(user.wireText)/\(id.wireText)"
        let page = try await console.send("GET", "\(target)?credits=2", fields: [cookie])
        let token = try #require(
          page.text.firstMatch(of: /name="form_token" value="([0-9a-f]{64})"/)?.1)
        let form = (name: "Content-Type", value: "application/x-www-form-urlencoded")
        let origin = (name: "Origin", value: "http://\(console.authority)")
        let right = "form_token=\(token)&credits=2"

        let attacks:
          [(name: String, status: Int, fields: [(name: String, value: String)], body: String)] = [
            ("without a token", 403, [cookie, form, origin], "credits=2"),
            (
              "with another token", 403, [cookie, form], "form_token=\(token.reversed())&credits=2"
            ),
            ("without a session", 401, [form, origin], right),
            ("of another site", 403, [cookie, form, ("Origin", "http://attacker.example")], right),
            ("of a sandbox", 403, [cookie, form, ("Origin", "null")], right),
            ("of another port", 403, [cookie, form, ("Origin", "http://127.0.0.1:1")], right),
            ("across sites", 403, [cookie, form, ("Sec-Fetch-Site", "cross-site")], right),
            ("as plain text", 415, [cookie, ("Content-Type", "text/plain")], right),
            ("with two tokens", 400, [cookie, form], "\(right)&form_token=x"),
            (
              "that is too large", 413, [cookie, form], right + String(repeating: "x", count: 5000)
            ),
            ("without a number", 400, [cookie, form], "form_token=\(token)"),
            ("with a negative number", 400, [cookie, form], "form_token=\(token)&credits=-1"),
          ]
        for (name, status, fields, body) in attacks {
          let response = try await console.send("POST", target, fields: fields, body: body)
          #expect(response.status == status, "a form \(name): \(response)")
        }
        #expect(
          try await console.send("GET", "\(target)?\(right)", fields: [cookie]).status == 200)
        let reservation = try await client.credits.reservation(id, of: user)
        #expect(reservation.state == .unresolved)

        let done = try await console.send(
          "POST", target, fields: [cookie, form, origin], body: right)
        #expect(done.status == 303, "\(done)")
        let notice = try await console.send("GET", try #require(done["location"]), fields: [cookie])
        #expect(notice.text.contains("Reservation \(id.wireText) is committed with 2 credits."))
        let resolved = try await client.credits.reservation(id, of: user)
        #expect(resolved.state == .committed && resolved.committed == 2)
        try await console.process.waitForErrors("resolved a reservation")

        // The same form again is a replay; another number is refused.
        let again = try await console.send("POST", target, fields: [cookie, form], body: right)
        #expect(again.status == 303)
        let other = try await console.send(
          "POST", target, fields: [cookie, form], body: "form_token=\(token)&credits=3")
        #expect(other.status == 409)
      }
    }
  }

  @Test func `an address cannot claim that a reservation is resolved`() async throws {
    try await ServedUser.with(annualBudget: 100) { client, user, database, server in
      let id = try await Self.stuckReservation(client, user, database)
      try await RunningConsole.with(mockupd: server.socket) { console in
        let cookie = try await console.signIn()
        for target in [
          "?resolved=\(id.wireText)", "?user=\(user.wireText)&resolved=\(id.wireText)",
          "?user=\(UUID().wireText)&resolved=\(id.wireText)",
          "?user=\(user.wireText)&resolved=\(UUID().wireText)", "?user=x&resolved=y",
        ] {
          let page = try await console.send("GET", "/stuck\(target)", fields: [cookie])
          #expect(page.status == 200, "\(target)")
          #expect(page.text.contains(id.wireText))
          #expect(!page.text.contains("class=\"notice\""), "\(target)")
        }
      }
    }
  }

  @Test func `another method than a page has is refused with the page's methods`() async throws {
    try await Self.withConsole { console, _, user in
      let cookie = try await console.signIn()
      let stuck = "/stuck/\(user.wireText)/\(UUID().wireText)"
      let cases = [
        ("PUT", "/", "GET, HEAD"), ("POST", "/", "GET, HEAD"), ("DELETE", "/server", "GET, HEAD"),
        ("PATCH", "/users/\(user.wireText)", "GET, HEAD"), ("OPTIONS", "/stuck", "GET, HEAD"),
        ("PUT", stuck, "GET, HEAD, POST"), ("POST", "/icon.svg", "GET, HEAD"),
        ("POST", "/sign-in", "GET"), ("HEAD", "/sign-in", "GET"),
      ]
      for (method, target, allowed) in cases {
        let response = try await console.send(method, target, fields: [cookie], body: "")
        #expect(response.status == 405, "\(method) \(target)")
        #expect(response["allow"] == allowed, "\(method) \(target)")
      }
      #expect(try await console.send("HEAD", "/", fields: [cookie]).status == 200)
      #expect(try await console.send("PUT", "/nothing", fields: [cookie], body: "").status == 404)
      #expect(try await console.send("PUT", "/", body: "").status == 401)
    }
  }

  @Test func `an address that cannot be used is named with the system's reason`() async throws {
    let ending = try await Program.console.run([
      "--listen", "unix:/nonexistent/c.sock", "--public-url", "https://a.example",
    ])
    #expect(ending.exitCode == 69)
    #expect(
      ending.errors.contains(
        "cannot listen on unix:/nonexistent/c.sock: bind: No such file or directory\n"),
      "\(ending)")
  }

  @Test func `a TCP port trusts no header`() async throws {
    try await Self.withConsole { console, _, _ in
      for name in ["X-Remote-User", "X-Forwarded-User", "Remote-User"] {
        let response = try await console.send("GET", "/", fields: [(name, "root")])
        #expect(response.status == 401, "\(name)")
      }
    }
  }

  @Test func `addresses that others can reach are refused`() async throws {
    let commands: [[String]] = [
      ["--listen", "0.0.0.0:8085"], ["--listen", "[::]:8085"], ["--listen", "192.0.2.1:8085"],
      ["--listen", "example.org:8085"], ["--listen", "8085"], ["--listen", "127.0.0.1:70000"],
      ["--listen", "unix:relative"], ["--listen", "unix:/tmp/x"],
      ["--identity-header", "X-Remote-User"],
      ["--identity-header", "X Y", "--listen", "unix:/tmp/x", "--public-url", "https://a.example"],
      ["--public-url", "ftp://a.example"], ["--public-url", "https://a.example/path"],
    ]
    for arguments in commands {
      let ending = try await Program.console.run(arguments)
      #expect(ending.exitCode == 64, "\(arguments): \(ending)")
    }
  }

  @Test func `a proxy passes the name of the person on a Unix socket`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/console.sock"
      let arguments = [
        "--listen", "unix:\(path)", "--public-url", "https://credits.example",
        "--identity-header", "X-Remote-User",
      ]
      try await Self.withConsole(arguments) { console, _, _ in
        var status = stat()
        #expect(unsafe stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)

        let page = try await console.send("GET", "/", fields: [("X-Remote-User", "ada")])
        #expect(page.status == 200)
        #expect(page.text.contains(">ada</p>"))
        #expect(page["set-cookie"] == nil)
        let refused: [[(name: String, value: String)]] = [
          [], [("X-Remote-User", "")], [("X-Remote-User", "ada"), ("x-remote-user", "root")],
          [("X-Remote-User", String(repeating: "a", count: 257))],
        ]
        for fields in refused {
          #expect(try await console.send("GET", "/", fields: fields).status == 401, "\(fields)")
        }
        let loopback = try await HTTPExchange.send(
          "GET", "/", to: console.address,
          fields: [("Host", "localhost"), ("X-Remote-User", "ada")])
        #expect(loopback.status == 421)

        // There is no link to renew.
        console.process.signal(SIGHUP)
        try await console.process.waitForErrors("ignoring SIGHUP")
        let later = try await console.send("GET", "/", fields: [("X-Remote-User", "ada")])
        #expect(later.status == 200)

        let second = try await Program.console.run(arguments)
        #expect(second.exitCode == 69, "\(second)")
        #expect(second.errors.contains("another server is already listening"))
      }
      #expect(!FileManager.default.fileExists(atPath: path))
      try Data().write(to: URL(filePath: path))
      let blocked = try await Program.console.run(arguments)
      #expect(blocked.exitCode == 69)
      #expect(blocked.errors.contains("is not a socket"))
    }
  }

  @Test func `behind TLS the cookie belongs to the host alone`() async throws {
    try await withTemporaryFolder { folder in
      let arguments = [
        "--listen", "unix:\(folder)/console.sock", "--public-url", "https://credits.example",
      ]
      try await Self.withConsole(arguments) { console, _, _ in
        let response = try await console.send("GET", try console.signInTarget())
        let cookie = try #require(response["set-cookie"])
        #expect(cookie.hasPrefix("__Host-mockup-console="), "\(cookie)")
        #expect(cookie.contains("Secure") && cookie.contains("Path=/"), "\(cookie)")
        // Without a header for names, none is trusted.
        let guest = try await console.send("GET", "/", fields: [("X-Remote-User", "root")])
        #expect(guest.status == 401)
      }
    }
  }
}
