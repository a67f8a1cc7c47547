@_exported public import PGErrorCodes

/// Opens a connection the way libpq's programs do: what the IRI does not say is filled from the
/// environment, the service files and the password file.
///
/// - Parameters:
///   - iri: `pq://…`, `postgres://…`, `postgresql://…` or `key=value …`; `nil` leaves everything to
///     the environment.
///   - overrides: What is said here beats every other source.
/// - Throws: ``PGError``: `-*000` naming the option that is malformed; else as ``Connector/connect(until:)``.
///
/// In py-postgresql: `postgresql.open`.
public func open(
  _ iri: String? = nil, _ overrides: ConnectionOptions = ConnectionOptions()
) throws(PGError) -> Connection {
  try Connector(OptionSources.standard(iri: iri, overrides: overrides)).connect()
}

/// Connects with exactly these options: nothing is inherited from the environment.
///
/// In py-postgresql: `postgresql.driver.connect`.
public func connect(_ options: ConnectionOptions) throws(PGError) -> Connection {
  try Connector(options).connect()
}
