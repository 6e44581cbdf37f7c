/// The migrations of a program, and the comparison with those of a database.
struct MigrationPlan {
  /// The versioned migrations, ordered by their unique versions.
  ///
  /// Versions may have gaps, for example because they continue another project's sequence.
  let versioned: [Migration]

  /// The repeatable migrations, with unique names.
  let repeatable: RepeatableMigrations

  /// The checksums of a plan's migrations, both in the plan's order.
  struct Checksums {
    let versioned: [String]
    let repeatable: [String]
  }

  /// The migrations that a database has recorded.
  struct Record {
    var versioned: [AppliedMigration] = []
    var repeatable: [AppliedRepeatableMigration] = []
  }

  /// - Throws: ``MigrationError`` with ``MigrationError/Code/invalidList``.
  init(_ migrations: [Migration], _ repeatable: RepeatableMigrations) throws(MigrationError) {
    versioned = migrations.sorted { $0.version < $1.version }
    for (migration, next) in zip(versioned, versioned.dropFirst())
    where migration.version == next.version {
      throw MigrationError(.invalidList, "two migrations have version \(migration.version)")
    }
    self.repeatable = repeatable
    var names: Set<String> = []
    for migration in repeatable.migrations where !names.insert(migration.name).inserted {
      throw MigrationError(.invalidList, "two migrations are named \(migration.name)")
    }
  }

  /// The SQL texts of all migrations, the versioned ones first.
  var texts: [String] { versioned.map(\.sql) + repeatable.migrations.map(\.sql) }

  /// Compares the plan with the migrations that a database has recorded.
  ///
  /// - Parameters:
  ///   - record: The database's record.
  ///   - checksums: The checksums of the plan.
  ///   - version: The last version to apply; then repeatable migrations are not pending, because
  ///     they require the latest version. Nil for all migrations.
  /// - Throws: ``MigrationError`` if an applied migration was changed or is unknown, a pending one
  ///   precedes an applied one, the record's revision is unknown, or `version` is unknown.
  func status(
    of record: Record, checksums: Checksums, upTo version: Int? = nil
  ) throws(MigrationError) -> MigrationStatus {
    if let version, !versioned.contains(where: { $0.version == version }) {
      throw MigrationError(.unknownVersion, "no migration has version \(version)")
    }
    try requireKnown(record, checksums)
    let appliedVersions = Set(record.versioned.map(\.version))
    let pending = versioned.filter { !appliedVersions.contains($0.version) }
    if let newest = appliedVersions.max(), let first = pending.first, first.version < newest {
      throw MigrationError(
        .changed,
        "migration \(first.version) (\(first.name)) is pending, but \(newest) is already applied")
    }

    let recorded = Dictionary(uniqueKeysWithValues: record.repeatable.map { ($0.name, $0) })
    var current: [AppliedRepeatableMigration] = []
    var pendingRepeatable: [RepeatableMigration] = []
    var outdated: Set<String> = []
    for (migration, checksum) in zip(repeatable.migrations, checksums.repeatable) {
      if let applied = recorded[migration.name], applied.checksum == checksum {
        current.append(applied)
      } else {
        pendingRepeatable.append(migration)
        if recorded[migration.name] != nil { outdated.insert(migration.name) }
      }
    }
    return MigrationStatus(
      applied: record.versioned, appliedRepeatable: current,
      pending: MigrationSet(
        versioned: pending.filter { migration in version.map { migration.version <= $0 } ?? true },
        repeatable: version == nil ? pendingRepeatable : []),
      outdated: outdated)
  }

  private func requireKnown(_ record: Record, _ checksums: Checksums) throws(MigrationError) {
    let known = Dictionary(
      uniqueKeysWithValues: zip(versioned, checksums.versioned).map {
        ($0.version, (name: $0.name, $1))
      })
    for applied in record.versioned {
      guard let (name, checksum) = known[applied.version] else {
        throw MigrationError(
          .databaseIsNewer,
          "the database has migration \(applied.version) (\(applied.name)), "
            + "which this program does not know"
        )
      }
      guard checksum == applied.checksum else {
        throw MigrationError(
          .changed, "migration \(applied.version) (\(name)) was changed after it was applied")
      }
    }
    for applied in record.repeatable where applied.revision > repeatable.revision {
      throw MigrationError(
        .databaseIsNewer,
        "the database has \(applied.name) of revision \(applied.revision), but this program has "
          + "revision \(repeatable.revision)")
    }
  }
}
