/// Decides which migrations are to be applied, without a database.
struct MigrationPlan {
  /// The versioned migrations in order, each version once. Gaps are fine: versions may continue a
  /// sequence that began in another project.
  let versioned: [Migration]

  /// The repeatable migrations, each name once.
  let repeatable: RepeatableMigrations

  /// The checksums of a plan's migrations, each kind in the plan's order.
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
      throw MigrationError(.invalidList, "Two migrations have version \(migration.version).")
    }
    self.repeatable = repeatable
    var names: Set<String> = []
    for migration in repeatable.migrations where !names.insert(migration.name).inserted {
      throw MigrationError(.invalidList, "Two migrations are named \(migration.name).")
    }
  }

  /// The SQL of every migration, the versioned ones first.
  var texts: [String] { versioned.map(\.sql) + repeatable.migrations.map(\.sql) }

  /// Compares the plan with a database's record.
  ///
  /// - Parameters:
  ///   - checksums: The checksums of the plan.
  ///   - version: The last version to be applied, after which no repeatable migration is: those fit
  ///     the last version only; nil for everything.
  /// - Throws: ``MigrationError``: a versioned migration has changed, is not known or was left out,
  ///   the record's revision is not known, or `version` is not.
  func status(
    of record: Record, checksums: Checksums, upTo version: Int? = nil
  ) throws(MigrationError) -> MigrationStatus {
    if let version, !versioned.contains(where: { $0.version == version }) {
      throw MigrationError(.unknownVersion, "There is no migration \(version).")
    }
    try requireKnown(record, checksums)
    let appliedVersions = Set(record.versioned.map(\.version))
    let pending = versioned.filter { !appliedVersions.contains($0.version) }
    if let newest = appliedVersions.max(), let first = pending.first, first.version < newest {
      throw MigrationError(
        .changed,
        "Migration \(first.version) (\(first.name)) was left out before \(newest) was applied.")
    }

    let recorded = Dictionary(uniqueKeysWithValues: record.repeatable.map { ($0.name, $0) })
    var current: [AppliedRepeatableMigration] = []
    var outdated: [RepeatableMigration] = []
    for (migration, checksum) in zip(repeatable.migrations, checksums.repeatable) {
      if let applied = recorded[migration.name], applied.checksum == checksum {
        current.append(applied)
      } else {
        outdated.append(migration)
      }
    }
    return MigrationStatus(
      applied: record.versioned, appliedRepeatable: current,
      pending: MigrationSet(
        versioned: pending.filter { migration in version.map { migration.version <= $0 } ?? true },
        repeatable: version == nil ? outdated : []))
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
          "The database has migration \(applied.version) (\(applied.name)), which is not known here."
        )
      }
      guard checksum == applied.checksum else {
        throw MigrationError(
          .changed, "Migration \(applied.version) (\(name)) was changed after it was applied.")
      }
    }
    for applied in record.repeatable where applied.revision > repeatable.revision {
      throw MigrationError(
        .databaseIsNewer,
        "The database has \(applied.name) of revision \(applied.revision), and this program has "
          + "revision \(repeatable.revision).")
    }
  }
}
