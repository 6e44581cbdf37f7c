internal import TTRPC

extension Int32 {
  /// Converts a number to the type of its protocol field.
  ///
  /// - Throws: INVALID_ARGUMENT if the number is not in the range.
  static func wire(
    _ number: Int, _ name: String, in range: ClosedRange<Int32> = .min ... .max
  ) throws(RPCError) -> Int32 {
    guard let number = Int32(exactly: number), range.contains(number) else {
      throw RPCError(code: .invalidArgument, message: "\(name) \(number) is out of range")
    }
    return number
  }

  /// Converts a duration to whole seconds, rounded up; `nil` becomes 0, the server's default.
  ///
  /// - Throws: INVALID_ARGUMENT if the duration is not positive or does not fit into 32 bits.
  static func seconds(_ duration: Duration?, _ name: String) throws(RPCError) -> Int32 {
    guard let duration else { return 0 }
    let (seconds, attoseconds) = duration.components
    guard duration > .zero, let seconds = Int32(exactly: seconds), seconds < .max else {
      throw RPCError(code: .invalidArgument, message: "\(name) \(duration) is out of range")
    }
    return seconds + (attoseconds > 0 ? 1 : 0)
  }
}
