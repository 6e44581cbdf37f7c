/// Which migrations are to be applied; decided without a database.
struct MigrationPlan {
  /// The given list in order, each version once. Gaps are fine: versions may continue a sequence that
  /// began in another project.
  let migrations: [Migration]

  /// - Throws: ``MigrationError`` with ``MigrationError/Code/invalidList``.
  init(_ migrations: [Migration]) throws(MigrationError) {
    self.migrations = migrations.sorted { $0.version < $1.version }
    for (migration, next) in zip(self.migrations, self.migrations.dropFirst())
    where migration.version == next.version {
      throw MigrationError(.invalidList, "Two migrations have version \(migration.version).")
    }
  }

  /// The migrations to be applied to a database that made those steps.
  ///
  /// - Parameters:
  ///   - checksums: The checksums of ``migrations``, in the same order.
  ///   - version: The last to be applied; nil for all.
  /// - Throws: ``MigrationError``: a step changed or is not known, one was left out, or the version
  ///   is not known.
  func pending(
    after applied: [AppliedMigration],
    checksums: [String],
    upTo version: Int? = nil
  ) throws(MigrationError) -> [Migration] {
    if let version, !migrations.contains(where: { $0.version == version }) {
      throw MigrationError(.unknownVersion, "There is no migration \(version).")
    }
    let known = Dictionary(
      uniqueKeysWithValues: zip(migrations, checksums).map { ($0.version, (name: $0.name, $1)) })
    for step in applied {
      guard let (name, checksum) = known[step.version] else {
        throw MigrationError(
          .databaseIsNewer,
          "The database has migration \(step.version) (\(step.name)), which is not known here."
        )
      }
      guard checksum == step.checksum else {
        throw MigrationError(
          .changed, "Migration \(step.version) (\(name)) was changed after it was applied.")
      }
    }
    let appliedVersions = Set(applied.map(\.version))
    let pending = migrations.filter { !appliedVersions.contains($0.version) }
    if let newest = appliedVersions.max(), let first = pending.first, first.version < newest {
      throw MigrationError(
        .changed,
        "Migration \(first.version) (\(first.name)) was left out before \(newest) was applied.")
    }
    return pending.filter { migration in version.map { migration.version <= $0 } ?? true }
  }
}
