// What the system may hold up: how full disks are, and what sensors say. A dying USB stick lets a process
// that asks wait for seconds or for ever. So a child of this process asks, and pages wait for the child for a
// short time. A disk or a sensor that does not answer keeps its last answer.

import Martlet

/// The answers of disks and of the sensor, and the children that wait for more of them.
struct Measurements: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// What is known of one thing that is asked about.
  struct Item {
    /// What it is; 0: nothing.
    var key: UInt32 = 0
    var space = DiskSpace()
    /// Whether `space`, or the temperature, is an answer.
    var isKnown = false
    /// When the answer came, and when it was asked for last.
    var answeredAt: Int64 = 0
    var askedAt: Int64 = 0
    /// Since when it has not answered, if it does not.
    var silentSince: Int64?
    /// Whether pages wait for it.
    var isOpen = false
  }

  private struct Child {
    /// 0: none.
    var number: Int32 = 0
    /// The question that it waits for, and since when.
    var question = -1
    var since: Int64 = 0
    /// Whether it has waited too long.
    var isStuck = false
  }

  /// A disk each, as in `Disks`, and last the sensor.
  private var items = InlineArray<9, Item>(repeating: Item())
  private var children = InlineArray<2, Child>(repeating: Child())
  private(set) var temperature: Temperature?
  private(set) var throttling: Throttling?
  /// When pages began to wait, and when they ended.
  private var beganAt: Int64?
  private var endedAt: Int64 = .min / 2
  private var childCount = 0

  init() {
    invariant(
      items.count == Questions.count && children.count == Questions.childCount
        && Disks().items.count == items.count - 1, "there is a question for each disk")
    // What children share is mapped now, and no memory is taken later.
    _ = Questions(child: 0)
  }

  private static var sensor: Int { 8 }

  /// Milliseconds that a question may take until it counts as not answered, and that a page waits at most.
  static var answerMilliseconds: Int64 { 500 }
  private static var pageMilliseconds: Int64 { 1_500 }
  /// Milliseconds after which what has not answered is asked again.
  private static var retryMilliseconds: Int64 { 10_000 }
  /// Milliseconds for which answers count as new, so that visitors who come at once share them.
  private static var freshMilliseconds: Int64 { 250 }
  /// Children that are made for one page at most.
  private static var childCountMax: Int { 4 }

  /// What is known about a disk.
  func item(_ disk: Disk) -> Item? {
    for i in 0..<Self.sensor where items[i].key == disk.key { return items[i] }
    return nil
  }

  /// Whether the sensor does not answer.
  var sensorIsSilent: Bool { items[Self.sensor].silentSince != nil }

  /// Sees to it that what is known is new.
  ///
  /// - Returns: Milliseconds after which to ask again; `nil` when there is nothing to wait for.
  @inline(never)
  mutating func renew() -> Int? {
    let now = System.milliseconds
    for i in 0..<children.count where children[i].number > 0 { look(at: i, now) }
    if beganAt == nil {
      guard now - endedAt >= Self.freshMilliseconds else { return nil }
      begin(now)
    }
    guard let beganAt else { return nil }
    let waited = now - beganAt
    if waited >= Self.pageMilliseconds || !goOn(waited) {
      self.beganAt = nil
      endedAt = now
      return nil
    }
    return waited < 10 ? 2 : waited < 100 ? 10 : 40
  }

  /// Stores what a child has found out, and sees to it that the temperature is new at the next call, without waiting.
  /// While a page waits, the page's children ask.
  ///
  /// - Parameter asks: Whether a child is to ask now.
  @inline(never)
  mutating func renewTemperature(asks: Bool) {
    let now = System.milliseconds
    for i in 0..<children.count where children[i].number > 0 { look(at: i, now) }
    let sensor = Self.sensor
    items[sensor].key = 1
    let isLeft = items[sensor].silentSince != nil && now - items[sensor].askedAt < Self.retryMilliseconds
    guard asks, beganAt == nil, !isLeft, !isAsked(1) else { return }
    for i in 0..<children.count where children[i].number == 0 {
      for other in 0..<items.count { items[other].isOpen = other == sensor }
      _ = start(i)
      return
    }
  }

  /// Notes what is to be asked.
  private mutating func begin(_ now: Int64) {
    let disks = Device.disks()
    let old = items
    for i in 0..<Self.sensor {
      items[i] = Item()
      guard i < disks.count, !disks.items[i].isTooLong else { continue }
      items[i].key = disks.items[i].key
      for known in 0..<Self.sensor where old[known].key == items[i].key { items[i] = old[known] }
    }
    items[Self.sensor].key = 1
    for i in 0..<items.count {
      let isLeft = items[i].silentSince != nil && now - items[i].askedAt < Self.retryMilliseconds
      items[i].isOpen = items[i].key != 0 && !isLeft && !isAsked(items[i].key)
    }
    beganAt = now
    childCount = 0
  }

  /// Whether a child waits for an answer about that.
  private func isAsked(_ key: UInt32) -> Bool {
    for i in 0..<children.count where children[i].number > 0 && children[i].question >= 0 {
      if Questions(child: i)?.key(children[i].question) == key { return true }
    }
    return false
  }

  /// Starts a child where one is missing.
  ///
  /// - Returns: Whether there is something to wait for.
  private mutating func goOn(_ waited: Int64) -> Bool {
    var isOpen = false
    for i in 0..<items.count where items[i].isOpen { isOpen = true }
    guard isOpen else { return false }
    var free: Int?
    for i in 0..<children.count {
      if children[i].number == 0 { free = i } else if !children[i].isStuck { return true }
    }
    guard let free, childCount < Self.childCountMax, waited + Self.answerMilliseconds < Self.pageMilliseconds
    else { return false }
    childCount += 1
    return start(free)
  }

  /// Stores a child's answers, and sees what the child waits for.
  private mutating func look(at index: Int, _ now: Int64) {
    guard let questions = Questions(child: index) else { return }
    let isRunning = ChildProcess.isRunning(children[index].number)
    var question = -1
    for i in 0..<Questions.count {
      switch questions.state(i) {
      case .notAsked, .wanted: continue
      case .asked: question = i
      case .answered: store(questions, i, now)
      case .refused: store(nil, questions.key(i), now)
      }
      if questions.state(i) != .asked { questions.setState(i, .notAsked) }
    }
    if question != children[index].question {
      children[index].question = question
      children[index].since = now
      children[index].isStuck = false
    }
    if question >= 0, !isRunning || now - children[index].since >= Self.answerMilliseconds {
      children[index].isStuck = true
      note(silent: questions.key(question), since: children[index].since)
    }
    if !isRunning { children[index] = Child() }
  }

  private mutating func store(_ questions: Questions, _ question: Int, _ now: Int64) {
    let key = questions.key(question)
    if key == 1 {
      temperature = questions.temperature
      throttling = questions.throttling
    }
    store(questions.space(question), key, now)
  }

  private mutating func store(_ space: DiskSpace?, _ key: UInt32, _ now: Int64) {
    if key == 1, space == nil { (temperature, throttling) = (nil, nil) }
    for i in 0..<items.count where items[i].key == key {
      items[i].space = space ?? DiskSpace()
      items[i].isKnown = space != nil
      items[i].answeredAt = now
      items[i].silentSince = nil
      items[i].isOpen = false
    }
  }

  private mutating func note(silent key: UInt32, since: Int64) {
    for i in 0..<items.count where items[i].key == key {
      if items[i].silentSince == nil { items[i].silentSince = since }
      items[i].isOpen = false
    }
  }

  /// Makes a child that asks what is open.
  private mutating func start(_ index: Int) -> Bool {
    guard let questions = Questions(child: index) else { return false }
    let now = System.milliseconds
    for i in 0..<items.count {
      questions.setKey(i, items[i].key)
      questions.setState(i, items[i].isOpen ? .wanted : .notAsked)
      if items[i].isOpen { items[i].askedAt = now }
    }
    var asksDisks = false
    for i in 0..<Self.sensor where items[i].isOpen { asksDisks = true }
    switch ChildProcess.begin() {
    case .refused: return false
    case .parent(let number):
      children[index] = Child(number: number, since: now)
      return true
    case .child:
      if asksDisks { answer(questions, Device.disks()) } else { answer(questions, Disks()) }
      ChildProcess.end()
    }
  }

  /// Asks, in the child. What has been silent before comes last.
  @inline(never)
  private func answer(_ questions: Questions, _ disks: borrowing Disks) {
    answer(questions, disks, silent: false)
    answer(questions, disks, silent: true)
  }

  @inline(never)
  private func answer(_ questions: Questions, _ disks: borrowing Disks, silent: Bool) {
    for i in 0..<items.count where questions.state(i) == .wanted {
      guard (items[i].silentSince != nil) == silent else { continue }
      questions.setState(i, .asked)
      if i == Self.sensor {
        if let temperature = Device.temperature() {
          questions.setTemperature(temperature)
          questions.setThrottling(Device.throttling())
          questions.setState(i, .answered)
          continue
        }
      } else if let space = Self.space(items[i].key, disks) {
        questions.setSpace(i, space)
        questions.setState(i, .answered)
        continue
      }
      questions.setState(i, .refused)
    }
  }

  private static func space(_ key: UInt32, _ disks: borrowing Disks) -> DiskSpace? {
    for i in 0..<disks.count where disks.items[i].key == key {
      return Device.space(at: disks.items[i].mountPoint.span)
    }
    return nil
  }
}
