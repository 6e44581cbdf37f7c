import Foundation
import MockupClient
import TestSupport
import Testing

/// The values in the JSON output of the commands for credits.
@Suite struct CommandValuesTests {
  /// A scalar in JSON as text; `null` is empty.
  private struct Value: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        text = ""
      } else if let flag = try? container.decode(Bool.self) {
        text = "\(flag)"
      } else if let number = try? container.decode(Int64.self) {
        text = "\(number)"
      } else {
        text = try container.decode(String.self)
      }
    }
  }

  /// Parses an object or an array of objects.
  private static func objects(_ json: String) throws -> [[String: Value]] {
    let data = Data(json.utf8)
    return json.hasPrefix("[")
      ? try JSONDecoder().decode([[String: Value]].self, from: data)
      : [try JSONDecoder().decode([String: Value].self, from: data)]
  }

  /// The fields of a reservation, without the times, in the order of the message.
  private static func fields(_ reservation: Reservation?) throws -> [String: String] {
    let reservation = try #require(reservation)
    return [
      "reservation_id": reservation.reservationID, "user_id": reservation.userID,
      "state": "\(reservation.state)", "operation": "\(reservation.operation)",
      "credits": "\(reservation.credits)", "granted": "\(reservation.granted)",
      "held": "\(reservation.held)", "committed": "\(reservation.committed)",
      "overrun": "\(reservation.overrun)", "year": "\(reservation.year)",
      "month": "\(reservation.month)", "mockup_id": reservation.mockupID,
      "group_id": reservation.groupID, "commit_id": reservation.commitID,
      "late": "\(reservation.late)",
    ]
  }

  private static func fields(_ response: ReserveCreditsResponse) throws -> [String: String] {
    let usage = try #require(response.usage)
    return [
      "success": "\(response.success)", "message": response.message,
      "granted": "\(response.granted)", "remaining": "\(response.remaining)",
      "reservation_id": response.reservation?.reservationID ?? "",
      "state": "\(try #require(response.reservation).state)",
      "soft_limit_passed": "\(usage.softLimitPassed)",
    ]
  }

  private static func fields(_ usage: GetCreditUsageResponse) -> [String: String] {
    [
      "year": "\(usage.year)", "month": "\(usage.month)",
      "annual_budget": "\(usage.annualBudget)", "total_used": "\(usage.totalUsed)",
      "generation": "\(usage.generation)", "regeneration": "\(usage.regeneration)",
      "refund": "\(usage.refund)", "held": "\(usage.held)",
      "remaining_annual": "\(usage.remainingAnnual)",
      "monthly_soft_limit": "\(usage.monthlySoftLimit)", "monthly_used": "\(usage.monthlyUsed)",
      "monthly_held": "\(usage.monthlyHeld)", "remaining_monthly": "\(usage.remainingMonthly)",
      "soft_limit_passed": "\(usage.softLimitPassed)",
    ]
  }

  private static func fields(_ entry: CreditUsageEntry) -> [String: String] {
    [
      "year": "\(entry.year)", "month": "\(entry.month)", "sequence": "\(entry.sequence)",
      "operation": "\(entry.operation)", "credits": "\(entry.credits)",
      "balance_before": "\(entry.balanceBefore)", "balance_after": "\(entry.balanceAfter)",
      "reservation_id": entry.reservationID, "mockup_id": entry.mockupID,
      "late": "\(entry.late)", "overrun": "\(entry.overrun)",
      "refunded_entry_id": entry.refundedEntryID, "entry_id": entry.entryID,
    ]
  }

  /// A command, and the call of the client library that returns the same values.
  ///
  /// The call of a change is a retry under the same ids, so it gets the response of the command.
  private struct Step {
    let command: [String]
    let expected: (Credits) async throws -> [[String: String]]

    init(_ command: [String], _ expected: @escaping (Credits) async throws -> [[String: String]]) {
      self.command = command
      self.expected = expected
    }
  }

  private static func changes(of user: UUID) -> [Step] {
    let (name, id, other) = (user.wireText, UUID(), UUID())
    return [
      Step(["reserve", name, "4", "--id", id.wireText]) {
        [try fields(try await $0.reserve(for: user, credits: 4, id: id))]
      },
      // A time to live that is shorter than the remaining one changes nothing.
      Step(["extend", name, id.wireText, "--time-to-live", "1"]) {
        let response = try await $0.extend(id, of: user, timeToLive: .seconds(1))
        let state = try #require(response.reservation).state
        return [["reservation_id": id.wireText, "state": "\(state)"]]
      },
      Step(["dispatch", name, id.wireText]) {
        let state = try #require(try await $0.dispatch(id, of: user).reservation).state
        return [["reservation_id": id.wireText, "state": "\(state)"]]
      },
      Step(["reservation", name, id.wireText]) {
        [try fields(try await $0.reservation(id, of: user))]
      },
      Step(["commit", name, id.wireText, "--credits", "3"]) {
        let response = try await $0.commit(id, of: user, credits: 3)
        return [
          [
            "state": "\(try #require(response.reservation).state)",
            "committed": "\(response.committed)", "overrun": "\(response.overrun)",
            "released": "\(response.released)", "remaining": "\(response.remaining)",
            "late": "\(response.late)", "reservation_id": id.wireText,
          ]
        ]
      },
      Step(["reserve", name, "2", "--id", other.wireText]) {
        [try fields(try await $0.reserve(for: user, credits: 2, id: other))]
      },
      Step(["release", name, other.wireText]) {
        let response = try await $0.release(other, of: user)
        return [
          [
            "state": "\(try #require(response.reservation).state)",
            "reservations": "\(response.reservations)", "released": "\(response.released)",
            "remaining": "\(response.remaining)", "reservation_id": other.wireText,
          ]
        ]
      },
    ]
  }

  private static func reads(of user: UUID) -> [Step] {
    [
      Step(["reservations", "list", user.wireText]) { credits in
        var list: [[String: String]] = []
        for try await one in credits.reservations(of: user) { list.append(try fields(one)) }
        return list
      },
      Step(["usage", user.wireText]) { [fields(try await $0.usage(of: user))] },
      Step(["ledger", "show", user.wireText]) { credits in
        var list: [[String: String]] = []
        for try await entry in credits.ledger(of: user) { list.append(fields(entry)) }
        return list
      },
    ]
  }

  @Test func `each command prints the values of its response`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, server in
      for step in Self.changes(of: user) + Self.reads(of: user) {
        let ending = try await Program.mockupctl.run(
          step.command + ["--output", "json"],
          environment: ["MOCKUPD_SOCKET_PATH": server.socket])
        #expect(ending.exitCode == 0, "\(step.command) \(ending)")
        #expect(ending.errors.isEmpty, "\(step.command) \(ending)")
        let printed = try Self.objects(ending.output)
        let expected = try await step.expected(client.credits)
        #expect(!expected.isEmpty && printed.count == expected.count, "\(step.command) \(ending)")
        for (object, fields) in zip(printed, expected) {
          for (name, value) in fields {
            #expect(object[name]?.text == value, "\(step.command) \(name)")
          }
        }
      }
    }
  }
}
