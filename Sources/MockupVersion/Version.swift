/// The version of the programs, which are released together.
public enum Version {
  /// The number that `--version` prints.
  public static let text = "0.1.0"
}
