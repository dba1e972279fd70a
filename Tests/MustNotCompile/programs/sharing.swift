// Rules for other origins that must not be written.

import Martlet

func rules(_ origin: String) {
  // error: extra argument 'credentials' in call
  _ = Sharing.anyOrigin(credentials: true)
  // error: cannot convert value of type 'String' to expected argument type 'StaticString'
  _ = Sharing.origins(origin)
}
