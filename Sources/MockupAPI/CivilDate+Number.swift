extension CivilDate {
  /// Creates the day that is a number of days after 1 January 1970.
  ///
  /// The algorithm is `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date
  /// Algorithms".
  ///
  /// - Parameter dayNumber: The number of days, which is negative for a day before 1970. The day
  ///   must be in the years 1 to 9999.
  public init(dayNumber: Int) {
    let shifted = dayNumber + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    self.init(
      year: Int32(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), month: Int32(month),
      day: Int32(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
  }

  /// The number of days since 1 January 1970; `nil` if there is no such day in the years 1 to 9999.
  ///
  /// The algorithm is `days_from_civil` of the same source.
  public var dayNumber: Int? {
    guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
      return nil
    }
    let (month, day) = (Int(month), Int(day))
    let shifted = month <= 2 ? Int(year) - 1 : Int(year)
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let number = era * 146_097 + dayOfEra - 719_468
    // 31 April, for example, would be 1 May.
    return CivilDate(dayNumber: number) == self ? number : nil
  }
}
