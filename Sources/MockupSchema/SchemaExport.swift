public import Postgres

/// An export of the schema as files for another migration tool, such as Supabase's.
///
/// The tool applies the files in the order of their names. Each versioned migration has a file. The
/// functions that are new or have changed since the last export share one.
///
/// A file also records its migrations, so that the migrator of this program has nothing to do
/// afterwards. Conversely, a file changes nothing in a database in which its migration is recorded.
public enum SchemaExport {
  /// A file of SQL.
  public struct File: Sendable, Hashable {
    /// The name: digits, `_` and a description, with the extension `sql`.
    public let name: String
    /// The statements.
    public let text: String

    /// Creates a file, such as one that exists already.
    public init(name: String, text: String) {
      self.name = name
      self.text = text
    }

    /// The digits at the beginning of the name, by which tools order the files.
    fileprivate var version: Int64 { Int64(name.prefix { ("0"..."9").contains($0) }) ?? 0 }
  }

  /// The reason why a folder cannot be exported to.
  public struct Failure: Error, Hashable, CustomStringConvertible {
    /// The message for people.
    public let description: String
  }

  /// The version of the first file in a folder without newer files.
  private static let firstVersion: Int64 = 2026_01_01_000000

  /// Returns the files that a folder lacks, in their order.
  ///
  /// The names and texts depend only on the program's migrations and on the existing files. The new
  /// files come after all existing ones, also after those of other parts of a project, since tools
  /// refuse files that come before an applied one.
  ///
  /// - Parameters:
  ///   - existing: The files of the folder, in any order.
  ///   - migrations: The versioned migrations, in order.
  ///   - functions: The functions, views and triggers.
  /// - Throws: ``Failure`` if an exported file was changed, or is from a newer program.
  public static func newFiles(
    beside existing: [File], migrations: [Migration] = Schema.migrations,
    functions: RepeatableMigrations = Schema.functions
  ) throws(Failure) -> [File] {
    let texts = migrations.enumerated().map { text(of: $1, isFirst: $0 == 0) }
    var exported: Set<Int> = []
    var exportedFunctions: [String: String] = [:]
    for file in existing.sorted(by: { ($0.version, $0.name) < ($1.version, $1.name) }) {
      if let number = number(of: file) {
        guard let index = migrations.firstIndex(where: { $0.version == number }) else {
          throw Failure(
            description: "\(file.name) has migration \(number), which this program does not know")
        }
        guard file.text == texts[index] else {
          throw Failure(description: "\(file.name) was changed after it was exported")
        }
        exported.insert(number)
      }
      if let file = FunctionFile(file.text) {
        guard file.revision <= functions.revision else {
          throw Failure(
            description: "the folder has functions of revision \(file.revision), but this program "
              + "has revision \(functions.revision)")
        }
        exportedFunctions.merge(file.texts) { $1 }
        exportedFunctions = exportedFunctions.filter { file.names.contains($0.key) }
      }
    }

    var files: [File] = []
    var version = max((existing.map(\.version).max() ?? 0) + 1, firstVersion)
    func add(_ name: String, _ text: String) {
      files.append(File(name: "\(version)_mockupd_\(name).sql", text: text))
      version += 1
    }
    for (migration, text) in zip(migrations, texts) where !exported.contains(migration.version) {
      let digits = String(migration.version)
      let padding = String(repeating: "0", count: max(3 - digits.count, 0))
      add("\(padding)\(digits)_\(migration.name)", text)
    }
    let changed = functions.migrations.filter { exportedFunctions[$0.name] != $0.sql }
    let names = Set(functions.migrations.map(\.name))
    if !changed.isEmpty || !names.isSuperset(of: exportedFunctions.keys) {
      add("functions", FunctionFile(changed, of: functions).text)
    }
    return files
  }

  private static let marker = "-- mockupd migration "

  /// Returns the version of the migration in a file, or nil if the file has none.
  private static func number(of file: File) -> Int? {
    guard file.text.hasPrefix(marker) else { return nil }
    return Int(file.text.dropFirst(marker.count).prefix { $0 != " " })
  }

  /// Returns the text of the file of a versioned migration.
  ///
  /// All is done by one statement, so that the file has an effect as a whole or not at all, whether
  /// or not a tool runs it in a transaction.
  private static func text(of migration: Migration, isFirst: Bool) -> String {
    """
    \(marker)\(migration.version) (\(migration.name))
    --
    -- Made by `mockupd migrate --export`. Do not change it: mockupd compares the text that was
    -- applied with its own.
    \(isFirst ? "\n" + Migrator.recordDefinition(schema: Schema.name) + "\n" : "")
    DO $mockupd$
    DECLARE
      v_search_path text := pg_catalog.current_setting('search_path');
      v_sql text := $mockupd_sql$\(migration.sql)$mockupd_sql$;
    BEGIN
    \(lock)
      IF EXISTS (
        SELECT FROM mockupd.schema_migrations AS m WHERE m.version = \(migration.version))
      THEN
        RETURN; -- `mockupd migrate` has applied it.
      END IF;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      EXECUTE v_sql;
      PERFORM pg_catalog.set_config('search_path', v_search_path, true);
      INSERT INTO mockupd.schema_migrations (version, name, checksum)
      VALUES (\(migration.version), '\(migration.name)', \(checksum("v_sql")));
    END
    $mockupd$;

    """
  }

  /// The statement that waits for another migration, in the block of a file.
  fileprivate static let lock = """
      PERFORM pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtextextended('schema_migrations \(Schema.name)', 0));
    """

  fileprivate static func checksum(_ sql: String) -> String {
    "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(\(sql), 'UTF8')), 'hex')"
  }
}

/// The file with the functions of an export.
private struct FunctionFile {
  private static let marker = "-- mockupd functions, revision "

  let revision: Int
  /// The names of all functions of the program, also those that did not change.
  let names: [String]
  /// The functions in the file.
  let functions: [RepeatableMigration]

  var texts: [String: String] {
    Dictionary(functions.map { ($0.name, $0.sql) }, uniquingKeysWith: { $1 })
  }

  init(_ changed: [RepeatableMigration], of all: RepeatableMigrations) {
    revision = all.revision
    names = all.migrations.map(\.name)
    functions = changed
  }

  /// Reads the text of a file; nil if it is another file.
  init?(_ text: String) {
    guard text.hasPrefix(Self.marker),
      let revision = Int(text.dropFirst(Self.marker.count).prefix { $0.isNumber })
    else { return nil }
    self.revision = revision
    let lists = text.components(between: "$mockupd_names$")
    names = lists.first.map { $0.split(whereSeparator: \.isNewline).map(String.init) } ?? []
    // A text follows its name.
    let rows = text.split(separator: "$mockupd_sql$", omittingEmptySubsequences: false)
    functions = stride(from: 1, to: rows.count, by: 2).map { index in
      let name = rows[index - 1].split(separator: "'").dropLast().last ?? ""
      return RepeatableMigration(name: String(name), sql: String(rows[index]))
    }
  }

  var text: String {
    let rows = functions.enumerated().map { place, function in
      "(\(place + 1), '\(function.name)', $mockupd_sql$\(function.sql)$mockupd_sql$)"
    }
    let list =
      rows.isEmpty ? "SELECT 0, '', '' WHERE false" : "VALUES\n" + rows.joined(separator: ",\n")
    return """
      \(Self.marker)\(revision)
      --
      -- Made by `mockupd migrate --export`. Do not change it: mockupd compares the texts that were
      -- applied with its own.

      DO $mockupd$
      DECLARE
        v_search_path text := pg_catalog.current_setting('search_path');
        v_function record;
      BEGIN
      \(SchemaExport.lock)
        IF EXISTS (
          SELECT FROM mockupd.repeatable_migrations AS m WHERE m.revision > \(revision))
        THEN
          RETURN; -- A newer `mockupd migrate` has applied its functions.
        END IF;
        FOR v_function IN
          SELECT f.* FROM (
      \(list)
          ) AS f (place, name, sql) ORDER BY f.place
        LOOP
          CONTINUE WHEN EXISTS (
            SELECT FROM mockupd.repeatable_migrations AS m
            WHERE m.name = v_function.name AND m.checksum =
              \(SchemaExport.checksum("v_function.sql")));
          PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
          EXECUTE v_function.sql;
          PERFORM pg_catalog.set_config('search_path', v_search_path, true);
          INSERT INTO mockupd.repeatable_migrations (name, revision, checksum)
          VALUES (v_function.name, \(revision),
            \(SchemaExport.checksum("v_function.sql")))
          ON CONFLICT (name) DO UPDATE SET revision = EXCLUDED.revision,
            checksum = EXCLUDED.checksum, applied_at = EXCLUDED.applied_at;
        END LOOP;
        DELETE FROM mockupd.repeatable_migrations AS m
        WHERE m.name <> ALL (pg_catalog.string_to_array(
          $mockupd_names$\(names.joined(separator: "\n"))$mockupd_names$, E'\\n'));
      END
      $mockupd$;

      """
  }
}

extension String {
  /// Returns the parts between the first and second, the third and fourth, … delimiter.
  fileprivate func components(between delimiter: String) -> [Substring] {
    let parts = split(separator: delimiter, omittingEmptySubsequences: false)
    return stride(from: 1, to: parts.count, by: 2).map { parts[$0] }
  }
}
