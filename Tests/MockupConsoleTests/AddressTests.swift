import Testing

@testable import mockup_console

@Suite struct AddressTests {
  @Test func `only loopback addresses and Unix sockets are accepted`() {
    let accepted: [(String, ListenAddress)] = [
      ("127.0.0.1:8085", .tcp(host: "127.0.0.1", port: 8085)),
      ("localhost:0", .tcp(host: "127.0.0.1", port: 0)),
      ("[::1]:80", .tcp(host: "::1", port: 80)),
      ("unix:/run/x.sock", .unixSocket(path: "/run/x.sock")),
    ]
    for (text, address) in accepted { #expect(ListenAddress(argument: text) == address) }
    let refused = [
      "0.0.0.0:80", ":80", "[::]:80", "127.0.0.2:80", "10.0.0.1:80", "host:80", "127.0.0.1",
      "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:65536", "unix:", "unix:x",
      "unix:/" + String(repeating: "x", count: 107),
    ]
    for text in refused { #expect(ListenAddress(argument: text) == nil, "\(text)") }
  }

  @Test func `a public address has a scheme and a host`() throws {
    let secure = try #require(PublicURL(argument: "https://Credits.example.org/"))
    #expect(secure.isSecure && secure.authority == "credits.example.org")
    let plain = try #require(PublicURL(argument: "http://localhost:8080"))
    #expect(!plain.isSecure && plain.origin == "http://localhost:8080")
    for text in [
      "credits.example", "https://", "https://a/b", "https://a?b", "ftp://a", "//a", "https://a:",
      "https://a:0", "https://a:65536", "https://a:+1", "https://a:b", "https://a:1:2",
      "https://:443", "https://[::1", "https://[]", "https://[a.example]:1", "https://::1",
    ] {
      #expect(PublicURL(argument: text) == nil, "\(text)")
    }
  }

  @Test func `a public address is without the port of its scheme`() throws {
    let addresses = [
      ("https://a.example:443", "a.example"), ("http://a.example:80", "a.example"),
      ("https://a.example:80", "a.example:80"), ("http://a.example:443", "a.example:443"),
      ("https://[2001:db8::1]:443/", "[2001:db8::1]"), ("https://[::1]:8443", "[::1]:8443"),
      ("https://a.example:65535", "a.example:65535"),
    ]
    for (text, authority) in addresses {
      #expect(try #require(PublicURL(argument: text)).authority == authority, "\(text)")
    }
    let authorities = Authorities(publicURL: PublicURL(argument: "https://a.example:443"))
    for host in ["a.example", "a.example:443"] { #expect(authorities.contains(host), "\(host)") }
    #expect(authorities.contains(origin: "https://a.example"))
    for host in ["a.example:80", "a.example:", "b.example:443", ""] {
      #expect(!authorities.contains(host), "\(host)")
    }
  }

  @Test func `the hosts of a port are the loopback addresses`() {
    let authorities = Authorities(publicURL: nil)
    #expect(!authorities.contains("127.0.0.1:8085"))
    authorities.listening(on: 8085)
    for host in ["127.0.0.1:8085", "localhost:8085", "[::1]:8085"] {
      #expect(authorities.contains(host))
      #expect(authorities.contains(origin: "http://\(host)"))
      #expect(!authorities.contains(origin: "https://\(host)"))
    }
    for host in ["127.0.0.1", "localhost", "127.0.0.1:80", "a.example", "a.example:8085"] {
      #expect(!authorities.contains(host), "\(host)")
    }
  }
}
