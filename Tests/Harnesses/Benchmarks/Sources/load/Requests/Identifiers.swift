/// The ids of users and mockups in the benchmark's databases: a number in the last twelve digits of
/// a UUID.
enum Identifiers {
  /// Returns the id of the user `number`.
  static func user(_ number: UInt32) -> String { "00000000-0000-4000-8000-" + digits(number) }

  /// Returns the id of the mockup `number`.
  static func mockup(_ number: UInt32) -> String { "00000000-0000-4000-9000-" + digits(number) }

  /// The offset of the last eight digits, which are the only ones that differ.
  static let numberOffset = 28

  private static func digits(_ number: UInt32) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 12 - text.count) + text
  }
}
