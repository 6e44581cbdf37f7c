import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// The Swift samples of the client's articles and of the README, run against a real server.
///
/// Every Swift block in these pages is also in this folder, line by line.
@Suite struct ClientArticleTests {
  // MARK: README

  @Test func `the sample of the README`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, server in
      let (socket, scenes, vendor) = (server.socket, ["bedroom", "home_office"], Vendor())
      let pictures = try await MockupClient.withConnection(
        to: .unixSocket(path: socket)
      ) { client in
        let settled = try await client.credits.withReservation(
          for: user, credits: scenes.count
        ) { reservation in
          let files = try await vendor.render(scenes, reference: reservation.id)
          return .commit(credits: files.count, files)
        }
        return settled.value
      }
      #expect(pictures.count == 2)
      #expect(try await client.credits.usage(of: user).totalUsed == 2)
    }
  }

  // MARK: MockupClient

  @Test func `connect with a configuration`() async throws {
    try await ServedUser.with(annualBudget: 10) { _, user, _, server in
      let socket = server.socket
      let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      var configuration = MockupClient.Configuration(timeout: .seconds(60))
      configuration.waitsForReady = true
      configuration.retry.attempts = 10
      configuration.metadata["traceparent"] = traceparent
      let usage = try await MockupClient.withConnection(
        to: .unixSocket(path: socket), configuration: configuration
      ) { client in
        try await client.credits.usage(of: user)
      }
      #expect(usage.remainingAnnual == 10)
    }
  }

  func message(for error: any Error) -> String {
    switch error {
    case let error as InsufficientCredits:
      "too few credits: \(error.remaining) remain"
    case let error as ReservationAlreadyUsed:
      "the job has already run: \(error)"
    case let error as RPCError where error.code == .unavailable:
      "the server or its database is unavailable: try again later"
    case let error as RPCError:
      "the server refused the call: \(error)"
    default:
      "\(error)"
    }
  }

  @Test func `messages for errors`() async throws {
    try await ServedUser.with(annualBudget: 1) { client, user, _, _ in
      let vendor = Vendor()
      let insufficient = await #expect(throws: InsufficientCredits.self) {
        try await makePictures(of: ["bedroom", "home_office"], for: user, client, vendor)
      }
      let tooFew = message(for: try #require(insufficient))
      #expect(tooFew == "too few credits: 1 remain")
      let refused = await #expect(throws: RPCError.self) {
        try await client.credits.usage(of: UUID())
      }
      let unknownUser = message(for: try #require(refused))
      #expect(unknownUser.hasPrefix("the server refused the call: NOT_FOUND: "))
    }
  }
}

extension ClientArticleTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The lines of a file, without their indentation.
  private func lines(of path: String) throws -> [String] {
    let data = try Data(contentsOf: Self.root.appending(path: path))
    return String(decoding: data, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0.trimmingPrefix(while: \.isWhitespace)) }
  }

  /// The contents of the Swift blocks of a page.
  private func swiftBlocks(of page: String) throws -> [String] {
    var blocks: [String] = []
    var block: [String]?
    for line in try lines(of: page) {
      if line == "```swift" {
        block = []
      } else if line == "```", let finished = block {
        blocks.append(finished.joined(separator: "\n"))
        block = nil
      } else {
        block?.append(line)
      }
    }
    #expect(block == nil, "a block of \(page) has no end")
    return blocks
  }

  @Test func `every Swift block of the pages is in this folder`() throws {
    let tests = "Tests/EndToEndTests/ClientArticles"
    let code = try FileManager.default
      .contentsOfDirectory(atPath: Self.root.appending(path: tests).path)
      .map { try lines(of: "\(tests)/\($0)").joined(separator: "\n") }
      .joined(separator: "\n")
    let folder = "Sources/MockupClient/MockupClient.docc"
    let articles = try FileManager.default
      .contentsOfDirectory(atPath: Self.root.appending(path: folder).path)
      .filter { $0.hasSuffix(".md") }
    #expect(articles.count >= 6)
    for page in articles.map({ "\(folder)/\($0)" }) + ["README.md"] {
      let blocks = try swiftBlocks(of: page)
      #expect(!blocks.isEmpty, "\(page) has no sample")
      for block in blocks {
        #expect(code.contains("\n\(block)\n"), "\(page) has a block that is not tested:\n\(block)")
      }
    }
  }
}
