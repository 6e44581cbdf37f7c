import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// The Swift samples of the client's articles and of the README, run against a real server.
///
/// Every Swift block in these pages is also in this file, line by line.
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

// MARK: - Reserve credits around paid work

extension ClientArticleTests {
  func makePictures(
    of scenes: [String], for user: UUID, _ client: MockupClient, _ vendor: Vendor
  ) async throws -> [String] {
    let settled = try await client.credits.withReservation(
      for: user, credits: scenes.count
    ) { reservation in
      let pictures = try await vendor.render(scenes, reference: reservation.id)
      return .commit(credits: pictures.count, pictures)
    }
    return settled.value
  }

  @Test func `reserve credits and commit them`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor()
      let pictures = try await makePictures(of: ["bedroom"], for: user, client, vendor)
      #expect(pictures == ["https://files.example/bedroom.png"])
      let usage = try await client.credits.usage(of: user)
      #expect(usage.totalUsed == 1)
      #expect(usage.held == 0)
    }
  }

  /// Work that is run again after a crash.
  struct Job: Sendable {
    var id = UUID()
    var user: UUID
    var scenes: [String]
  }

  func run(_ job: Job, _ client: MockupClient, _ vendor: Vendor) async throws -> [String] {
    let settled = try await client.credits.withReservation(
      for: job.user, credits: job.scenes.count, id: job.id,
      isDispatched: true, resumesDispatched: true, staysAlive: true
    ) { reservation in
      if reservation.isResumed, let pictures = await vendor.pictures(for: job.id) {
        return .commit(credits: pictures.count, pictures)
      }
      do {
        let pictures = try await vendor.render(job.scenes, reference: job.id)
        return .commit(credits: pictures.count, pictures)
      } catch let refusal as Vendor.Refusal {
        throw NotCharged(refusal)
      }
    }
    return settled.value
  }

  @Test func `run a job again after a vendor call without an answer`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor(failingOnceWith: Vendor.AnswerLost())
      let job = Job(user: user, scenes: ["bedroom", "home_office"])
      await #expect(throws: Vendor.AnswerLost.self) { try await run(job, client, vendor) }
      #expect(try await client.credits.reservation(job.id, of: user).state == .dispatched)
      #expect(try await client.credits.usage(of: user).held == 2)

      let pictures = try await run(job, client, vendor)
      #expect(pictures.count == 2)
      #expect(await vendor.calls == 1)
      #expect(try await client.credits.usage(of: user).totalUsed == 2)
      await #expect(throws: ReservationAlreadyUsed.self) { try await run(job, client, vendor) }
    }
  }

  @Test func `release the credits of a job that the vendor refused`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor(failingOnceWith: Vendor.Refusal(reason: "no such template"))
      let job = Job(user: user, scenes: ["bedroom"])
      await #expect(throws: Vendor.Refusal.self) { try await run(job, client, vendor) }
      let reservation = try await client.credits.reservation(job.id, of: user)
      #expect(reservation.state == .released)
    }
  }

  func begin(_ job: Job, _ client: MockupClient) async throws -> Bool {
    let reserved = try await client.credits.reserve(
      for: job.user, credits: job.scenes.count, id: job.id, timeToLive: .seconds(3600))
    guard reserved.success else { return false }
    _ = try await client.credits.dispatch(job.id, of: job.user)
    return true
  }

  func finish(_ job: Job, spent: Int, _ client: MockupClient) async throws -> Int {
    let committed = try await client.credits.commit(job.id, of: job.user, credits: spent)
    return Int(committed.remaining)
  }

  @Test func `reserve in one process and commit in another`() async throws {
    try await ServedUser.with(annualBudget: 3) { client, user, _, _ in
      let job = Job(user: user, scenes: ["bedroom", "home_office"])
      #expect(try await begin(job, client))
      let isSecondReserved = try await begin(Job(user: user, scenes: job.scenes), client)
      #expect(!isSecondReserved)
      #expect(try await finish(job, spent: 1, client) == 2)
      #expect(try await finish(job, spent: 1, client) == 2)
    }
  }

  @Test func `commit in parts`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let job = Job(user: user, scenes: ["bedroom", "home_office", "living_room"])
      #expect(try await begin(job, client))
      for picture in [UUID(), UUID()] {
        _ = try await client.credits.commit(
          job.id, of: job.user, credits: 1, commitID: picture, isFinal: false)
      }
      _ = try await client.credits.release(job.id, of: job.user)
      let reservation = try await client.credits.reservation(job.id, of: user)
      #expect(reservation.state == .committed)
      #expect(reservation.committed == 2)
      #expect(try await client.credits.usage(of: user).remainingAnnual == 8)
    }
  }

  @Test func `reserve for a group`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let (campaign, orders) = (UUID(), [UUID(), UUID(), UUID()])
      let requests = orders.map { order in
        ReserveCreditsRequest(
          userID: user.wireText, credits: 2, reservationID: order.wireText,
          groupID: campaign.wireText)
      }
      let results = try await client.credits.batchReserve(requests, allOrNothing: true)
      let isReserved = results.allSatisfy { (try? $0.get())?.success == true }
      #expect(isReserved)
      #expect(try await client.credits.usage(of: user).held == 6)
      let released = try await client.credits.releaseGroup(campaign, of: user)
      #expect(released.reservations == 3)
      #expect(released.released == 6)
    }
  }
}

// MARK: - Run a worker

extension ClientArticleTests {
  func runWorker(
    _ client: MockupClient, _ vendor: Vendor,
    onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void
  ) async throws {
    try await client.mockups.withClaimedMockups(
      worker: "renderer-1", concurrency: 4, lease: .seconds(60), onUnrecorded: onUnrecorded
    ) { claimed in
      do {
        let picture = try await vendor.picture(
          template: claimed.dmTemplateID, asset: claimed.mockup?.assetID ?? "")
        return MockupCompletion(
          fileURL: picture.url, fileKey: picture.key, credits: picture.credits)
      } catch is Vendor.Busy {
        throw MockupFailure("the vendor is busy", mayRetry: true)
      } catch let refusal as Vendor.Refusal {
        throw MockupFailure("the vendor refused: \(refusal.reason)", mayRetry: false)
      }
    }
  }

  /// Runs a closure with the ids of some assets of the user.
  private func withAssets(
    _ count: Int, _ body: (MockupClient, UUID, [UUID]) async throws -> Void
  ) async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, database, _ in
      let assets = (0..<count).map { _ in UUID() }
      for asset in assets {
        try await database.owner.run(
          "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      }
      try await body(client, user, assets)
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `request mockups, and work on them`() async throws {
    try await withAssets(1) { client, user, assets in
      let requestID = UUID()
      let response = try await client.mockups.generate(
        for: user, assets: assets, scenes: ["bedroom", "cellar"], id: requestID)
      let requested = response.results.compactMap { UUID(wireText: $0.mockupID) }
      let failures = response.results.filter { !$0.success }.map(\.error)
      #expect(requested.count == 1)
      #expect(failures.count == 1)

      let vendor = Vendor(failingOnceWith: Vendor.Busy())
      let onUnrecorded: @Sendable (UnrecordedCompletion) async -> Void = {
        Issue.record("\($0)")
      }
      let working = Task {
        try await runWorker(client, vendor, onUnrecorded: onUnrecorded)
      }
      let finished = try await finishedMockups(requested, of: user, client)
      working.cancel()
      try await working.value
      #expect(finished.map(\.status) == [.completed])
      #expect(finished.map(\.attempt) == [2])
      #expect(finished.map(\.fileURL) == ["https://files.example/dm_bedroom_001.png"])

      let mockup = try #require(requested.first)
      let approved = try await client.mockups.approve(mockup, of: user)
      #expect(approved.status == .approved)
      let again = try await client.mockups.regenerate(mockup, of: user)
      #expect(again.success)
    }
  }

  @Test func `claim mockups without the loop`() async throws {
    try await withAssets(2) { client, user, assets in
      let vendor = Vendor()
      let made = try await client.mockups.generate(for: user, assets: assets, scenes: ["bedroom"])
      #expect(made.results.count == 2)
      let claimed = try await client.mockups.claim(
        worker: "renderer-2", count: 10, wait: .seconds(20))
      for mockup in claimed {
        _ = try await client.mockups.heartbeat(mockup, lease: .seconds(120))
        let picture = try await vendor.picture(
          template: mockup.dmTemplateID, asset: mockup.mockup?.assetID ?? "")
        _ = try await client.mockups.complete(
          mockup, MockupCompletion(fileURL: picture.url, fileKey: picture.key))
      }
      #expect(claimed.count == 2)
      #expect(try await client.credits.usage(of: user).totalUsed == 2)
    }
  }
}

// MARK: - Watch for changes

extension ClientArticleTests {
  func finishedMockups(
    _ ids: [UUID], of user: UUID, _ client: MockupClient
  ) async throws -> [Mockup] {
    var waiting = Set(ids.map(\.wireText))
    var finished: [Mockup] = []
    guard !waiting.isEmpty else { return [] }
    for try await event in client.mockups.watch(of: user, startsWithCurrent: true) {
      guard case .changed(let mockup) = event.change,
        mockup.status != .pending, mockup.status != .generating,
        waiting.remove(mockup.mockupID) != nil
      else { continue }
      finished.append(mockup)
      if waiting.isEmpty { break }
    }
    return finished
  }

  struct Gallery: Sendable {
    var mockups: [String: Mockup] = [:]
    var resumeToken: String?

    mutating func apply(_ event: MockupEvent) {
      switch event.change {
      case .began: break
      case .changed(let mockup): mockups[mockup.mockupID] = mockup
      case .deleted(let id): mockups[id.wireText] = nil
      }
      resumeToken = event.resumeToken
    }
  }

  func follow(
    _ user: UUID, from saved: Gallery, _ client: MockupClient,
    save: (Gallery) async throws -> Void
  ) async throws {
    var gallery = saved
    let changes = client.mockups.watch(
      of: user, from: gallery.resumeToken, startsWithCurrent: gallery.resumeToken == nil)
    for try await event in changes {
      gallery.apply(event)
      try await save(gallery)
    }
  }

  /// Follows a user's mockups until a condition holds.
  private func gallery(
    of user: UUID, from saved: Gallery, _ client: MockupClient,
    until isDone: (Gallery) -> Bool
  ) async throws -> Gallery {
    struct Done: Error { let gallery: Gallery }
    do {
      try await follow(user, from: saved, client) { gallery in
        if isDone(gallery) { throw Done(gallery: gallery) }
      }
    } catch let done as Done {
      return done.gallery
    }
    Issue.record("the watch ended")
    return saved
  }

  @Test(.timeLimit(.minutes(15)))
  func `follow a user's mockups, and resume`() async throws {
    try await withAssets(2) { client, user, assets in
      let made = try await client.mockups.generate(for: user, assets: assets, scenes: ["bedroom"])
      let ids = made.results.map(\.mockupID)
      let first = try await gallery(of: user, from: Gallery(), client) { $0.mockups.count == 2 }
      #expect(Set(first.mockups.keys) == Set(ids))

      let gone = try #require(UUID(wireText: ids[0]))
      _ = try await client.mockups.delete(gone, of: user)
      let second = try await gallery(of: user, from: first, client) { $0.mockups.count == 1 }
      #expect(Array(second.mockups.keys) == [ids[1]])
    }
  }
}

// MARK: - Report impressions

extension ClientArticleTests {
  @Test func `report pins and impressions`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, database, _ in
      let counts = try await database.makeMockups(2, of: user).map { mockup in
        (mockup: mockup, pins: 1, impressions: 20)
      }
      let (_, summary) = try await client.performance.withRecorder { recorder in
        for count in counts {
          try await recorder.add(
            count.mockup, of: user, pins: count.pins, impressions: count.impressions)
        }
      }
      let refusals = summary.refusals.map { "\($0.entry.mockupID): \($0.reason)" }
      #expect(summary.counted == 2)
      #expect(refusals.isEmpty)

      let batchID = UUID()
      let entries = counts.map { count in
        PerformanceEntry(
          userID: user.wireText, mockupID: count.mockup.wireText,
          pins: Int32(count.pins), impressions: Int32(count.impressions))
      }
      let recorded = try await client.performance.record(entries, batch: batchID)
      #expect(!recorded.replayed)
      let again = try await client.performance.record(entries, batch: batchID)
      #expect(again.replayed)
      let mockup = try await client.mockups.mockup(counts[0].mockup, of: user)
      #expect(mockup.totalPins == 2)
      #expect(mockup.totalImpressions == 40)
    }
  }
}

// MARK: - Administer

extension ClientArticleTests {
  @Test func `report usage, and set a budget`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor()
      _ = try await makePictures(of: ["bedroom"], for: user, client, vendor)

      let report = try client.admin.usageReport(order: .available, activeOnly: true)
      var remaining: [String: Int64] = [:]
      for try await row in report {
        remaining[row.userID] = row.usage?.remainingAnnual
      }
      let totals = try await report.totals()
      #expect(remaining == [user.wireText: 9])
      #expect(totals.used == 1)

      let budget = try await client.admin.setBudget(of: user, annual: 5000, monthly: 400)
      #expect(budget.previousAnnualBudget == 10)

      let usage = try await client.credits.usage(of: user)
      let isAboveSoftLimit = usage.softLimitPassed
      #expect(!isAboveSoftLimit)
      #expect(usage.remainingAnnual == 4999)

      let year = usage.year
      let months = try await client.admin.usageHistory(
        of: user, by: .month, from: CivilDate(year: year, month: 1, day: 1),
        through: CivilDate(year: year, month: 12, day: 31))
      let busiest = months.max { $0.used < $1.used }
      #expect(busiest?.firstDay == CivilDate(year: year, month: usage.month, day: 1))
      #expect(busiest?.used == 1)
    }
  }

  @Test func `watch alerts`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let expected = 2
      var lines: [String] = []
      var resumeToken: String?
      for try await event in client.admin.watchAlerts() {
        resumeToken = event.resumeToken
        break
      }
      _ = try await client.credits.reserve(for: user, credits: 8)
      for try await event in client.admin.watchAlerts(from: resumeToken) {
        if let alert = event.alert {
          lines.append("\(alert.userID): \(alert.credits) of \(alert.limit) credits")
        }
        resumeToken = event.resumeToken
        if lines.count == expected { break }
      }
      #expect(lines == Array(repeating: "\(user.wireText): 8 of 10 credits", count: 2))
      var listed: [Int32] = []
      for try await alert in client.admin.alerts(of: user) { listed.append(alert.threshold) }
      #expect(listed == [80, 50])
    }
  }

  @Test func `resolve reservations`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, database, _ in
      let vendor = Vendor(failingOnceWith: Vendor.AnswerLost())
      let job = Job(user: user, scenes: ["bedroom", "home_office"])
      await #expect(throws: Vendor.AnswerLost.self) { try await run(job, client, vendor) }
      try await database.expireReservations()

      for try await unresolved in client.admin.unresolvedReservations() {
        guard let reservation = unresolved.reservation,
          let id = UUID(wireText: reservation.reservationID),
          let user = UUID(wireText: reservation.userID)
        else { continue }
        let charged = await vendor.pictures(for: id)?.count ?? 0
        _ = try await client.admin.resolve(id, of: user, credits: charged)
      }
      let settled = try await client.credits.reservation(job.id, of: user)
      #expect(settled.state == .committed)
      #expect(settled.committed == 2)
    }
  }

  func refund(
    _ job: Job, credits: Int, refundID: UUID, _ client: MockupClient
  ) async throws -> Bool {
    for try await entry in client.credits.ledger(of: job.user) {
      guard entry.reservationID == job.id.wireText, entry.operation != .refund,
        let charge = UUID(wireText: entry.entryID)
      else { continue }
      _ = try await client.credits.refund(
        charge, of: job.user, credits: credits, id: refundID)
      return true
    }
    return false
  }

  @Test func `refund a charge, and export the ledger`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor()
      let job = Job(user: user, scenes: ["bedroom", "home_office"])
      _ = try await run(job, client, vendor)
      let refundID = UUID()
      #expect(try await refund(job, credits: 1, refundID: refundID, client))
      #expect(try await client.credits.usage(of: user).remainingAnnual == 9)

      var lines: [String] = []
      var resumeToken = ""
      try await client.credits.export(of: user, after: resumeToken) { chunk in
        for entry in chunk.entries {
          lines.append("\(entry.sequence): \(entry.operation) of \(entry.credits) credits")
        }
        resumeToken = chunk.resumeToken
      }
      #expect(lines == ["1: generation of 2 credits", "2: refund of 1 credits"])
      #expect(!resumeToken.isEmpty)
    }
  }

  @Test func `verify the ledger`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor()
      _ = try await makePictures(of: ["bedroom"], for: user, client, vendor)

      let discrepancies = try await client.admin.verifyLedger { answers in
        var found: [Discrepancy] = []
        for try await answer in answers {
          if let discrepancy = answer.discrepancy { found.append(discrepancy) }
        }
        return found
      }
      #expect(discrepancies.isEmpty)

      let info = try await client.admin.serverInfo()
      let waiting = info.unresolvedReservations + info.pendingMockups
      #expect(waiting == 0)
    }
  }
}

// MARK: - The pages

extension ClientArticleTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

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

  @Test func `every Swift block of the pages is in this file`() throws {
    let code = try lines(of: "Tests/EndToEndTests/ClientArticleTests.swift")
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

// MARK: - The vendor

/// A stand-in for the paid vendor, which keeps the pictures that it made for a reference.
actor Vendor {
  /// The vendor refused the work and charged nothing.
  struct Refusal: Error {
    let reason: String
  }

  /// The vendor takes no work at the moment, and charged nothing.
  struct Busy: Error {}

  /// The vendor made the pictures, and its answer was lost.
  struct AnswerLost: Error {}

  struct Picture: Sendable {
    var url: String
    var key: String
    var credits: Int
  }

  /// The number of calls that made pictures.
  private(set) var calls = 0
  private var made: [UUID: [String]] = [:]
  private var failure: (any Error)?

  init(failingOnceWith failure: (any Error)? = nil) {
    self.failure = failure
  }

  func render(_ scenes: [String], reference: UUID) throws -> [String] {
    let failure = nextFailure()
    if let failure, !(failure is AnswerLost) { throw failure }
    let pictures = scenes.map { "https://files.example/\($0).png" }
    made[reference] = pictures
    calls += 1
    if let failure { throw failure }
    return pictures
  }

  func picture(template: String, asset: String) throws -> Picture {
    if let failure = nextFailure() { throw failure }
    calls += 1
    return Picture(
      url: "https://files.example/\(template).png", key: "\(asset)/\(template)", credits: 1)
  }

  func pictures(for reference: UUID) -> [String]? { made[reference] }

  private func nextFailure() -> (any Error)? {
    defer { failure = nil }
    return failure
  }
}
