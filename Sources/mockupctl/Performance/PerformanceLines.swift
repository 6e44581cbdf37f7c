internal import MockupClient
internal import StandardStreams

/// Performance entries, read from lines; empty lines are skipped.
///
/// The first line decides the format of all lines: if it is a JSON object, so are the others;
/// otherwise it is the header of CSV, whose columns can be in any order.
struct PerformanceLines<Pieces: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Pieces.Element == [UInt8] {
  struct Element: Sendable, Equatable {
    var number: Int
    var entry: PerformanceEntry
  }
  typealias Failure = any Error

  /// The maximum length of a line, in bytes.
  fileprivate static var maxLineBytes: Int { 4096 }

  let pieces: Pieces

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pieces: pieces.makeAsyncIterator())
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var pieces: Pieces.AsyncIterator
    private var rest: ArraySlice<UInt8> = []
    private var hasEnded = false
    private var number = 0
    private var format: PerformanceFormat?

    fileprivate init(pieces: Pieces.AsyncIterator) {
      self.pieces = pieces
    }

    /// - Throws: `CommandError` for an invalid line, with its number; the errors of the pieces.
    mutating func next() async throws -> Element? {
      while let line = try await nextLine() {
        number += 1
        let text = String(decoding: line, as: UTF8.self)
        if text.allSatisfy(\.isWhitespace) { continue }
        do throws(PerformanceFormat.ParseError) {
          if let format {
            return Element(number: number, entry: try format.entry(text))
          }
          let format = try PerformanceFormat(firstLine: text)
          self.format = format
          if case .json = format { return Element(number: number, entry: try format.entry(text)) }
        } catch {
          throw CommandError(
            "line \(number) of standard input: \(error.description)",
            exitCode: CommandError.usage)
        }
      }
      return nil
    }

    private mutating func nextLine() async throws -> ArraySlice<UInt8>? {
      while true {
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        guard rest[..<(end ?? rest.endIndex)].count <= PerformanceLines.maxLineBytes else {
          throw CommandError(
            "line \(number + 1) of standard input: longer than "
              + "\(PerformanceLines.maxLineBytes) bytes",
            exitCode: CommandError.usage)
        }
        if let end {
          defer { rest = rest[(end + 1)...] }
          return rest[..<end].last == UInt8(ascii: "\r") ? rest[..<end].dropLast() : rest[..<end]
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
