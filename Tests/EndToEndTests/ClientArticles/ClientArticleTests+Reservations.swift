import FoundationEssentials
import MockupClient
import TestSupport
import Testing

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
