import FoundationEssentials
import Testing

@Suite struct InitialTypesTests {
  /// Returns the body of a message or an enumeration, with the messages nested in it.
  private func body(of name: String, in file: String) throws -> String {
    let lines = try Checkout.text(of: "proto/mockups/v1/\(file).proto").split(separator: "\n")
    let start = try #require(
      lines.firstIndex { $0 == "message \(name) {" || $0 == "enum \(name) {" }, "\(name)")
    return lines[start...].prefix { $0 != "}" }.joined(separator: "\n")
  }

  private func check(_ fields: [InitialTypes.Field], of message: String, in file: String) throws {
    let body = try body(of: message, in: file)
    #expect(!fields.isEmpty)
    for (name, wire) in fields {
      #expect(body.contains(" \(wire) = "), "\(message): \(name)")
    }
  }

  @Test func `every field of a client type has a message field`() throws {
    #expect(InitialTypes.all.count == 7)
    for (name, type) in InitialTypes.all where name != "MockupStatus" {
      try check(type.fields, of: type.message, in: type.file)
    }
    try check([("width", "width"), ("height", "height")], of: "Size", in: "scenes")
    try check([("x", "x"), ("y", "y")], of: "Position", in: "scenes")
  }

  @Test func `every column has a message field`() throws {
    try check(InitialTypes.mockup, of: "Mockup", in: "mockups")
    try check(InitialTypes.template, of: "SceneTemplate", in: "scenes")
    try check(InitialTypes.entry, of: "CreditUsageEntry", in: "credits")
    let columns = InitialTypes.mockup.count + InitialTypes.template.count + InitialTypes.entry.count
    #expect(columns == 43)
  }

  @Test func `every mockup status has an enum value`() throws {
    let body = try body(of: "MockupStatus", in: "mockups")
    for state in ["PENDING", "GENERATING", "COMPLETED", "FAILED", "APPROVED", "REJECTED"] {
      #expect(body.contains(" MOCKUP_STATUS_\(state) = "), "\(state)")
    }
  }
}
