import MockupClient
import StandardStreams
import Testing

@testable import mockupctl

/// Performance entries that are read from standard input.
@Suite struct PerformanceLinesTests {
  private static func read(_ input: String, pieceSize: Int = 7) async throws -> [PerformanceEntry] {
    let bytes = Array(input.utf8)
    let pieces = AsyncStream<[UInt8]> { stream in
      for start in stride(from: 0, to: bytes.count, by: pieceSize) {
        stream.yield(Array(bytes[start..<min(start + pieceSize, bytes.count)]))
      }
      stream.finish()
    }
    var entries: [PerformanceEntry] = []
    for try await line in PerformanceLines(pieces: pieces) { entries.append(line.entry) }
    return entries
  }

  private static let expected = [
    PerformanceEntry(userID: "u", mockupID: "m", pins: 1, impressions: 2),
    PerformanceEntry(userID: "v", mockupID: "n", pins: 0, impressions: 2_147_483_647),
  ]

  @Test(arguments: [
    "user_id,mockup_id,pins,impressions\nu,m,1,2\nv,n,0,2147483647\n",
    "impressions,pins,mockup_id,user_id\n2,1,m,u\n2147483647,0,n,v",
    "\n\"pins\", \"user_id\" ,impressions,mockup_id\r\n\r\n1,u, 2 ,\"m\"\r\n0,v,2147483647,n\r\n",
    #"{"user_id":"u","mockup_id":"m","pins":1,"impressions":2}"# + "\r\n\n"
      + #" {"mockup_id":"n","user_id":"v","impressions":2147483647}"#,
  ])
  func `columns and fields are read by name`(_ input: String) async throws {
    for pieceSize in [1, 7, 10_000] {
      #expect(try await Self.read(input, pieceSize: pieceSize) == Self.expected)
    }
  }

  @Test func `a line above the limit is refused, however the input is divided`() async throws {
    let line = #"{"user_id":"u","mockup_id":"m","pins":1}"#
    let longest = String(repeating: " ", count: 4096 - line.utf8.count)
    for pieceSize in [7, 100_000] {
      let entries = try await Self.read(longest + line + "\n" + line, pieceSize: pieceSize)
      #expect(entries.count == 2)
      let error = await #expect(throws: CommandError.self) {
        _ = try await Self.read("\(line)\n \(longest)\(line)\n", pieceSize: pieceSize)
      }
      #expect(error?.lines.first?.contains("line 2 of standard input: longer than") == true)
    }
  }

  private static let header = "user_id,mockup_id,pins,impressions\n"

  @Test(arguments: [
    ("user_id,mockup_id,pins,impresions\n", 1, "unknown field \"impresions\""),
    ("user_id,mockup_id,pins,pins\n", 1, "the header has the column pins twice"),
    ("user_id,mockup_id,pins\n", 1, "the header lacks the column impressions"),
    ("\nu,m,1,2\n", 2, "a header with user_id, mockup_id, pins and impressions, not"),
    ("\u{feff}user_id;mockup_id;pins\n", 1, #"not "\u{feff}user_id;mockup_id;pins""#),
    (header + "u,m,1", 2, "expected 4 values, found 3"),
    (header + "u,m,1,2,3", 2, "expected 4 values, found 5"),
    (header + "u,m,-1,2", 2, "pins must be a whole number from 0 to 2147483647, not \"-1\""),
    (header + "u,m,1,2147483648", 2, "impressions must be a whole number"),
    (header + "u,m,1,", 2, "impressions must be a whole number"),
    (header + "u,m,1.5,2", 2, "pins must be a whole number"),
    (header + "u,m,1,\u{1b}[2J", 2, #"not "\u{1b}[2J""#),
    (header + "\"u,m,1,2", 2, "a quoted value is not closed"),
    (header + "{}", 2, "expected 4 values, found 1"),
    (#"{"user_id":"u","mockup_id":"m","pin":1}"#, 1, "unknown field \"pin\""),
    (#"{"user_id":"u","pins":1}"#, 1, "mockup_id is missing"),
    (#"{"user_id":"u","mockup_id":"m"}"#, 1, "pins and impressions are missing"),
    (#"{"user_id":"u","mockup_id":"m","pins":"1"}"#, 1, "pins must be a number, not \"1\""),
    (#"{"user_id":5,"mockup_id":"m","pins":1}"#, 1, "user_id must be a string, not 5"),
    (#"{"user_id":null,"mockup_id":"m","pins":1}"#, 1, "user_id must be a string, not a value"),
    (#"{"user_id":"u","mockup_id":"m","pins":[1]}"#, 1, "pins must be a number, not a value"),
    (#"{"user_id":"u","mockup_id":"m","pins":true}"#, 1, "pins must be a number, not a value"),
    (#"{"user_id":"u","mockup_id":"m","pins":1.5}"#, 1, "not \"1.5\""),
    (#"{"user_id":"u","mockup_id":"m","pins":2147483648}"#, 1, "pins must be a whole number"),
    (#"{"user_id":"u","mockup_id":"m","pins":-1}"#, 1, "pins must be a whole number"),
    (#"{"user_id":"u""#, 1, "not valid JSON"),
    (#"{"user_id":"u","mockup_id":"m","pins":1}"# + "\nu,m,1,2", 2, "expected a JSON object"),
    (String(repeating: "x", count: 5000), 1, "longer than 4096 bytes"),
  ])
  func `the error for an invalid line names its number and field`(
    _ input: String, _ number: Int, _ expected: String
  ) async throws {
    let error = await #expect(throws: CommandError.self) { try await Self.read(input) }
    let line = try #require(error?.lines.first)
    #expect(line.hasPrefix("line \(number) of standard input: "), "\(line)")
    #expect(line.contains(expected), "\(line)")
    #expect(error?.exitCode == 64)
  }
}
