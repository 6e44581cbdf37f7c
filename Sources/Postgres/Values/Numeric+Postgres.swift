extension Numeric: PostgresScalar {
  /// `numeric`
  public static var postgresType: PostgresType { .numeric }
  /// `numeric[]`
  public static var postgresArrayType: PostgresType { .numericArray }

  // The binary format's sign word: src/backend/utils/adt/numeric.c, NUMERIC_POS and so on.
  private enum Sign: UInt16 {
    case positive = 0x0000
    case negative = 0x4000
    case notANumber = 0xC000
    case infinity = 0xD000
    case negativeInfinity = 0xF000
  }

  private var wireSign: Sign {
    switch kind {
    case .finite: isNegative ? .negative : .positive
    case .notANumber: .notANumber
    case .infinity: .infinity
    case .negativeInfinity: .negativeInfinity
    }
  }

  /// Appends the number of digits, weight, sign, scale, and the digits to the base of 10 000.
  public func encode(into writer: inout FieldWriter) {
    // The limits on digits and scale keep each of these within 16 bits.
    writer.writeInteger(UInt16(digits.count))
    writer.writeInteger(Int16(weight))
    writer.writeInteger(wireSign.rawValue)
    writer.writeInteger(UInt16(scale))
    for digit in digits { writer.writeInteger(digit) }
  }

  /// Reads what ``encode(into:)`` writes.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Numeric {
    let count = Int(try reader.readInteger(as: UInt16.self))
    let weight = Int(try reader.readInteger(as: Int16.self))
    let word = try reader.readInteger(as: UInt16.self)
    let scale = Int(try reader.readInteger(as: UInt16.self))
    guard let sign = Sign(rawValue: word) else { throw reader.malformed("its sign is \(word)") }
    var digits: [Int16] = []
    for _ in 0..<count {
      let digit = try reader.readInteger(as: Int16.self)
      guard (0..<10_000).contains(digit) else { throw reader.malformed("a digit is \(digit)") }
      digits.append(digit)
    }
    switch sign {
    case .notANumber: return .nan
    case .infinity: return .infinity
    case .negativeInfinity: return .negativeInfinity
    case .positive, .negative: break
    }
    guard scale <= maximumScale, weight < maximumIntegerDigits / 4 else {
      throw reader.malformed("it has more digits than a numeric can have")
    }
    let number = Numeric(
      isNegative: sign == .negative,
      weight: weight,
      scale: scale,
      digits: digits
    )
    guard number.weight >= -(maximumScale + 3) / 4 else {
      throw reader.malformed("it is smaller than a numeric can be")
    }
    return number
  }
}
