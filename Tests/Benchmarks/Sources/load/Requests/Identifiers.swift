/// The ids of users and mockups that whoever fills the database gives them: a number in the last twelve
/// digits of a UUID's text.
enum Identifiers {
  /// Of user number `number`.
  static func user(_ number: UInt32) -> String { "00000000-0000-4000-8000-" + digits(number) }

  /// Of mockup number `number`.
  static func mockup(_ number: UInt32) -> String { "00000000-0000-4000-9000-" + digits(number) }

  /// Where the last eight digits begin, which are all that differ.
  static let numberOffset = 28

  private static func digits(_ number: UInt32) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 12 - text.count) + text
  }
}
