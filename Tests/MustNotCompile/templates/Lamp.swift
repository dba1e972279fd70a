// What the templates beside this file show.

import Martlet

struct Lamp: BitwiseCopyable {
  var name: StaticString
  var isOn = false
}

func write(_ lamps: Span<Lamp>, to page: inout some PageWriter & ~Copyable & ~Escapable) {
  Templates.index(to: &page, title: "Lamps", lamps: lamps)
}
