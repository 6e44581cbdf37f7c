import StandardStreams
import TTRPC
import Testing

@testable import mockupctl

@Suite struct CommandErrorTests {
  @Test func `a status is shown with its details`() {
    let error = RPCError(
      code: .resourceExhausted, message: "too much",
      details: [
        .badRequest([
          FieldViolation(field: "a.b", description: "is long"),
          FieldViolation(field: "c", description: "is short"),
        ]),
        .retryInfo(after: .milliseconds(1500)), .errorInfo(reason: "FULL", domain: "disk"),
        .noEffect, .other(typeURL: "x/y.Z", value: [1, 2]),
      ])
    let commandError = CommandError(error)
    #expect(commandError.exitCode == 75)
    #expect(
      commandError.lines == [
        "RESOURCE_EXHAUSTED: too much", "  a.b: is long", "  c: is short",
        "  retry after 1.5 seconds", "  disk: FULL", "  x/y.Z: 2 bytes",
      ])
  }

  @Test func `control characters in a message from a peer are escaped`() {
    let error = RPCError(code: .aborted, message: "red \u{1b}[31m\nand\u{9b} more\u{7f}")
    #expect(CommandError(error).lines == [#"ABORTED: red \u{1b}[31m\nand\u{9b} more\u{7f}"#])
  }

  @Test func `a number of seconds must be positive and at most a day`() {
    #expect(Seconds(argument: "0.25")?.duration == .milliseconds(250))
    #expect(Seconds(argument: "86400")?.duration == .seconds(86_400))
    for text in ["0", "-1", "86400.1", "nan", "inf", "1s", ""] {
      #expect(Seconds(argument: text) == nil, "\(text)")
    }
    #expect(Seconds.forOneAnswer.description == "10")
  }
}
