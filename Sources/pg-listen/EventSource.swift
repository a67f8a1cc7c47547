internal import PGKit

/// Where events come from, as an IRI that can be pasted back: host, port and database, and nothing
/// that is secret.
struct EventSource: CustomStringConvertible {
  let description: String

  init(_ connection: Connection) {
    let options = connection.connector.options
    var place = ConnectionOptions()
    if let endpoint = connection.endpoint, let port = endpoint.port {
      place.hosts = [endpoint.host]
      place.ports = [port]
    } else {
      place.unix = connection.endpoint?.description
    }
    place.database = options.database ?? options.user
    description = ConnectionIRI.format(place)
  }
}
