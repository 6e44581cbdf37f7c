internal import Foundation
internal import MockupClient

/// Entries of performance, a line each: a JSON object, or four values with commas between them. Empty
/// lines are skipped, and so are the values' names in the first line.
struct PerformanceLines<Pieces: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Pieces.Element == [UInt8] {
  struct Element: Sendable, Equatable {
    var number: Int
    var entry: PerformanceEntry
  }
  typealias Failure = any Error

  /// The longest line, in bytes.
  fileprivate static var longestLine: Int { 4096 }

  let pieces: Pieces

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pieces: pieces.makeAsyncIterator())
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var pieces: Pieces.AsyncIterator
    private var rest: ArraySlice<UInt8> = []
    private var hasEnded = false
    private var number = 0

    fileprivate init(pieces: Pieces.AsyncIterator) {
      self.pieces = pieces
    }

    /// - Throws: `Complaint` for a line that is no entry.
    mutating func next() async throws -> Element? {
      while let line = try await nextLine() {
        number += 1
        let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces)
        let isHeader = number == 1 && text.hasPrefix("user_id")
        if text.isEmpty || isHeader { continue }
        guard let entry = PerformanceEntry(line: text) else {
          throw Complaint(
            ["line \(number) of standard input is no entry: \(text.prefix(80))"], exitCode: 64)
        }
        return Element(number: number, entry: entry)
      }
      return nil
    }

    private mutating func nextLine() async throws -> ArraySlice<UInt8>? {
      while true {
        if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          defer { rest = rest[(end + 1)...] }
          return rest[..<end].last == UInt8(ascii: "\r") ? rest[..<end].dropLast() : rest[..<end]
        }
        guard rest.count <= PerformanceLines.longestLine else {
          throw Complaint(["line \(number + 1) of standard input is too long"], exitCode: 64)
        }
        guard !hasEnded, let piece = try await pieces.next(isolation: #isolation) else {
          hasEnded = true
          defer { rest = [] }
          return rest.isEmpty ? nil : rest
        }
        rest = rest + piece
      }
    }
  }
}

extension PerformanceEntry {
  init?(line: String) {
    if line.hasPrefix("{") {
      guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(line.utf8)) else {
        return nil
      }
      self.init(
        userID: fields.userID, mockupID: fields.mockupID, pins: fields.pins ?? 0,
        impressions: fields.impressions ?? 0)
      return
    }
    let values = line.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard values.count == 4, let pins = Int32(values[2]), let impressions = Int32(values[3]) else {
      return nil
    }
    self.init(userID: values[0], mockupID: values[1], pins: pins, impressions: impressions)
  }

  private struct Fields: Decodable {
    var userID: String
    var mockupID: String
    var pins: Int32?
    var impressions: Int32?

    enum CodingKeys: String, CodingKey {
      case userID = "user_id"
      case mockupID = "mockup_id"
      case pins
      case impressions
    }
  }
}
