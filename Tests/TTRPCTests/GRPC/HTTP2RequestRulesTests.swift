import Testing

@testable import GRPC
@testable import TTRPC

/// HTTP/2's rules for the headers and the trailers of requests.
@Suite(.timeLimit(.minutes(15))) struct HTTP2RequestRulesTests {
  private typealias Headers = [(String, String)]

  private static let pseudoHeaders: Headers = [
    (":method", "POST"), (":scheme", "http"), (":path", "/p/Echo"),
  ]

  private static func rules(_ headers: Headers) -> HTTP2RequestRules {
    rules(bytes: headers.map { (Array($0.0.utf8), Array($0.1.utf8)) })
  }

  private static func rules(bytes headers: [([UInt8], [UInt8])]) -> HTTP2RequestRules {
    var rules = HTTP2RequestRules()
    for (name, value) in headers {
      unsafe name.withUnsafeBytes { name in
        unsafe value.withUnsafeBytes { unsafe rules.add(name: name, value: $0) }
      }
    }
    return rules
  }

  @Test(
    arguments: [
      ("the least", pseudoHeaders),
      ("another order", pseudoHeaders.reversed()),
      ("an authority of a host", pseudoHeaders + [(":authority", "localhost:50051")]),
      ("an authority of a path", pseudoHeaders + [(":authority", "/run/mockupd/mockupd.sock")]),
      ("an escaped authority", pseudoHeaders + [(":authority", "%2Frun%2Fmockupd.sock")]),
      ("an authority with spaces", pseudoHeaders + [(":authority", "a b@c[]<>\"")]),
      ("an empty authority", pseudoHeaders + [(":authority", "")]),
      ("te", pseudoHeaders + [("te", "trailers")]),
      ("te in upper case", pseudoHeaders + [("te", "Trailers")]),
      ("a name with all characters", pseudoHeaders + [("!#$%&'*+-.^_`|~09az", "x")]),
      ("an empty value", pseudoHeaders + [("a", "")]),
      ("spaces and tabs in a value", pseudoHeaders + [("a", " b\t ")]),
      ("a value in UTF-8", pseudoHeaders + [("a", "é")]),
      ("a header twice", pseudoHeaders + [("a", "b"), ("a", "c")]),
      (
        "names like those that are not permitted",
        pseudoHeaders + [("upgrades", "1"), ("tea", "x")]
      ),
    ] as [(String, [(String, String)])])
  func `a request is valid`(_ name: String, _ headers: [(String, String)]) {
    let rules = Self.rules(headers)
    #expect(rules.isValidRequest, "\(name)")
    #expect(!rules.areValidTrailers, "\(name)")
  }

  private static let malformed: [(String, Headers)] =
    pseudoHeaders.indices.map { index in
      var headers = pseudoHeaders
      let (name, _) = headers.remove(at: index)
      return ("no \(name)", headers)
    }
    + pseudoHeaders.indices.map { index in
      var headers = pseudoHeaders
      headers[index].1 = ""
      return ("an empty \(headers[index].0)", headers)
    }
    + pseudoHeaders.map { ("\($0.0) twice", pseudoHeaders + [$0]) }
    + [":status", ":protocol", ":Path", ":", ":pat"].map { name in
      ("the unknown pseudo-header \(name)", pseudoHeaders + [(name, "x")])
    }
    + ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map { name in
      ("the header \(name)", pseudoHeaders + [(name, "x")])
    }
    + ["", "gzip", "trailers, gzip", "trailer"].map { value in
      ("te: \(value)", pseudoHeaders + [("te", value)])
    }
    + ["", "-1", "+1", "1 ", "1,1", "0x1", "1234567890123456789"].map { value in
      ("content-length: \(value)", pseudoHeaders + [("content-length", value)])
    }
    + [
      ("no header", []),
      (":authority twice", pseudoHeaders + [(":authority", "x"), (":authority", "x")]),
      ("content-length twice", pseudoHeaders + [("content-length", "1"), ("content-length", "1")]),
      ("an empty name", pseudoHeaders + [("", "x")]),
      (
        "a pseudo-header after another",
        Array(pseudoHeaders[..<2]) + [("a", "b"), pseudoHeaders[2]]
      ),
      ("a wrong header before others", [("A", "b")] + pseudoHeaders),
      ("a line break in :path", Array(pseudoHeaders[..<2]) + [(":path", "/p\n")]),
      ("a line break in :authority", pseudoHeaders + [(":authority", "x\r")]),
    ]

  @Test(arguments: malformed.indices)
  func `a request is malformed`(_ index: Int) {
    let (name, headers) = Self.malformed[index]
    #expect(!Self.rules(headers).isValidRequest, "\(name)")
  }

  @Test func `names are tokens in lower case`() {
    let permitted = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    for byte in UInt8.min...UInt8.max {
      let rules = Self.rules(bytes: [([UInt8(ascii: "a"), byte], [])])
      #expect(rules.areValidTrailers == permitted.contains(byte), "byte \(byte)")
    }
  }

  @Test func `values have no control characters`() {
    for byte in UInt8.min...UInt8.max {
      let rules = Self.rules(bytes: [([UInt8(ascii: "a")], [byte])])
      let isPermitted = byte == 9 || byte >= 0x20 && byte != 0x7f
      #expect(rules.areValidTrailers == isPermitted, "byte \(byte)")
    }
  }

  @Test func `trailers have no pseudo-headers`() {
    #expect(Self.rules([]).areValidTrailers)
    #expect(Self.rules([("a", "b")]).areValidTrailers)
    #expect(!Self.rules([(":path", "/")]).areValidTrailers)
    #expect(!Self.rules([("connection", "close")]).areValidTrailers)
  }

  @Test(arguments: [("0", 0), ("007", 7), ("999999999999999999", 999_999_999_999_999_999)])
  func `the length of the data is read`(_ text: String, _ length: Int) {
    let rules = Self.rules(Self.pseudoHeaders + [("content-length", text)])
    #expect(rules.isValidRequest)
    #expect(rules.contentLength == length)
    #expect(Self.rules(Self.pseudoHeaders).contentLength == nil)
  }
}
