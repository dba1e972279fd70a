// Makes system calls fail on purpose. This file's object defines libc's functions itself, so whatever
// it is linked into, or preloaded to, calls the system through it; see faults.c.
//
// A plan is a list "CALL:POSITION:FAULT", with commas between: which call, which of its occurrences
// (the first is 1; "3+" means the third and all after it), and what happens instead. A fault is the
// name of an errno, or "short": one octet is moved, however many were asked for.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Forgets calls and counts and takes a plan; "" only counts. Whether it is one.
bool faults_plan(const char *plan);

// From here to faults_end() the calls of this thread are counted, written down and made to fail. Of
// one thread at a time.
void faults_begin(void);
void faults_end(void);

// With it, waiting costs no time: poll() that nothing arrives at for some milliseconds returns, and
// the monotonic clock has moved, for ever, by what was to be waited.
void faults_use_virtual_time(bool use);

// One call that was made.
struct faults_call {
  const char *name;
  int position;     // which call of that name, from 1
  int descriptor;   // the first one among its arguments; -1 without
  const char *path; // what it names; "" without
  long result;
  int error;        // errno where the result is -1
  bool is_injected; // it was made to fail
};
size_t faults_call_count(void);
struct faults_call faults_call_at(size_t index);

// How many calls were made to fail.
size_t faults_injected_count(void);

// Waits for ever in which nothing came.
size_t faults_endless_wait_count(void);

// Descriptors that were opened and not closed; those that were closed and had not been opened here.
size_t faults_open_count(void);
size_t faults_stray_close_count(void);

// Closes what is open, so that the next test begins with nothing. How many.
size_t faults_close_all(void);

// The faults that make sense for a call, with blanks between; NULL when there is no such call.
const char *faults_of(const char *call);

// The names of the calls, with blanks between.
const char *faults_calls(void);

// A GPIO chip of one line, which answers ioctl() of threads under test in place of the kernel where the chip is there.
// The first numbers are what the line was requested with. `bits` is what its level is read as, and was set to.
struct faults_line {
  uint32_t line;
  uint64_t flags, first;
  uint64_t bits;
  bool is_there;
};
struct faults_line *faults_chip(void);
