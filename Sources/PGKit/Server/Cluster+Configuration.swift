extension Cluster {
  /// Where the cluster's settings stand: `postgresql.conf` in its data directory.
  public var configurationPath: String { dataDirectory.path + "/postgresql.conf" }

  /// The settings of `postgresql.conf`, as they are in the file now.
  ///
  /// What `ALTER SYSTEM` has set stands in `postgresql.auto.conf` and counts more.
  ///
  /// - Throws: ``PGError`` `-C000` if it cannot be read.
  ///
  /// In py-postgresql: `Cluster.settings`.
  public func configuration() throws(PGError) -> ConfigurationFile {
    try ConfigurationFile(reading: configurationPath)
  }

  /// Changes settings in `postgresql.conf`; a value of `nil` comments one out.
  ///
  /// A running server learns of it by ``reload()``, or ``restart(_:wait:_:)`` where that is needed.
  ///
  /// - Throws: ``PGError`` `-C000` if the file cannot be read or written; it is then as it was.
  ///
  /// In py-postgresql: `Cluster.settings.update()`.
  public func configure(_ changes: [(name: String, value: String?)]) throws(PGError) {
    for change in changes { try Self.checkName(change.name) }
    var file = try configuration()
    file.apply(changes)
    try file.write(to: configurationPath)
  }

  /// The file that says who may log in how: as the setting `hba_file` says, else `pg_hba.conf` in
  /// the data directory.
  ///
  /// - Throws: ``PGError`` `-C000` if the settings cannot be read.
  ///
  /// In py-postgresql: `Cluster.hba_file`.
  public func hbaFile() throws(PGError) -> String {
    guard let named = try configuration()["hba_file"], !named.isEmpty else {
      return dataDirectory.path + "/pg_hba.conf"
    }
    return named.hasPrefix("/") ? named : dataDirectory.path + "/" + named
  }

  /// A name that could end the setting early, or be another option, is none.
  static func checkName(_ name: String) throws(PGError) {
    if ConfigurationFile.isName(name) { return }
    throw .cluster("\"\(name)\" is not a setting's name")
  }
}
