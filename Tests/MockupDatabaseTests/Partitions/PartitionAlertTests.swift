import FoundationEssentials
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// The alerts of several partitions.
@Suite struct PartitionAlertTests {
  @Test func `the alerts of all users are listed page by page, the newest first`() async throws {
    try await PartitionedDatabase.with { database in
      try await database.proxy.withPool { pool in
        let credits = CreditStore(pool: pool)
        let feed = AlertFeed(pool: pool)
        var users: [UUID] = []
        for number in [0, 1, 1] {
          users.append(try await database.makeUser(in: number, annualBudget: 10))
        }
        for round in 0..<10 {
          for user in users {
            let request = try ProxyTests.Server.request(1, for: user)
            #expect(try await credits.reserve(request).admission.isAdmitted, "\(round)")
          }
        }
        let all = try await feed.alerts(before: nil, count: 100)
        #expect(all.count == 12)
        #expect(Set(all.map(\.id)).count == 12)
        #expect(all.map(\.createdAt) == all.map(\.createdAt).sorted(by: >))
        for count in 1...5 {
          var listed: [Alert] = []
          var positions: [Int64]?
          while true {
            let page = try await feed.alerts(before: positions, count: Int32(count))
            guard !page.isEmpty else { break }
            positions = feed.positions(after: page, from: positions)
            listed += page
          }
          #expect(listed == all)
        }
        let own = try await feed.alerts(of: users[2], before: nil, count: 10)
        #expect(own.map(\.threshold) == [100, 90, 80, 50])
        #expect(own == all.filter { $0.userID == users[2] })
        #expect(try await feed.lastPosition(in: 0) == 4)
        #expect(try await feed.lastPosition(in: 1) == 8)
        let later = try await feed.alerts(after: 6, in: 1, count: 10)
        #expect(later.map(\.position) == [7, 8])
      }
    }
  }
}
