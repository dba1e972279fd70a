// Files: what a program that keeps something asks of the system.
// A path is octets without a NUL, shorter than MARTLET_PATH_SIZE. What can fail returns -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
  // Octets of a path with its NUL: Linux's own names are shorter, and mount points rarely longer.
  MARTLET_PATH_SIZE = 512,

  // Octets of the scratch array: what is read of one file at a time. A line of /proc/self/mountinfo has
  // two paths, of 4 KiB at most each, before what is looked for; longer texts are read line by line.
  MARTLET_SCRATCH_SIZE = 8192,
};

// Where a file is read to, one at a time: MARTLET_SCRATCH_SIZE octets of static memory.
uint8_t *_Nonnull martlet_scratch(void);

// Opens a directory for this process alone; makes it, for its owner only, when it is not there.
// -EWOULDBLOCK when another process has it. The descriptor is kept until the process ends. Where the
// file system has no locks, *unlocked is the -errno that says so, and another process is not noticed.
int martlet_open_directory(const uint8_t *_Nullable path, size_t path_count, int *_Nonnull unlocked);

// Refusals beside those of the system: numbers beyond each errno, returned negative.
enum {
  MARTLET_ANOTHER_OWNER = 4096, // another user owns it
  MARTLET_OTHERS_MAY,           // others may read it (a file), or write to it
  MARTLET_NO_MODES,             // its file system keeps no permissions, and all may read what is there
  MARTLET_NO_FILE,              // it is no regular file
  MARTLET_DAMAGED,              // for the caller: what it holds is not what was written
  MARTLET_BAD_NAME,             // no name of a file in a folder
  MARTLET_CLOSED,               // for the caller: a file that has been finished or removed
  MARTLET_TOO_LARGE,            // more octets than there is room for
  MARTLET_NOT_A_LINE,           // a text with a line feed, where one line is to be appended
};

// The number of the user that this process is (geteuid).
uint32_t martlet_user(void);

// Reads a regular file of a directory; how many octets. The file must be this user's alone, or the result is
// -MARTLET_ANOTHER_OWNER or -MARTLET_OTHERS_MAY. A file of more than `count` octets is refused (-EFBIG).
long martlet_read_own_file(int directory, const uint8_t *_Nullable name, size_t name_count,
                           uint8_t *_Nonnull octets, size_t count);

// Reads at most `count` octets of a file that nobody but this user, or root and its group, may read.
long martlet_read_secret_file(const uint8_t *_Nullable path, size_t path_count,
                              uint8_t *_Nonnull octets, size_t count);

// Gives a file, or whatever has its name, the name NAME.damaged0, or the first of ten that is free.
int martlet_set_aside(int directory, const uint8_t *_Nonnull name, size_t name_count);

// Reads a file from its start, at most `count` octets; how many there were. `directory` is what
// `path` is relative to, or negative: the path begins at the root (martlet_set_root).
long martlet_read_file(int directory, const uint8_t *_Nullable path, size_t path_count,
                       uint8_t *_Nonnull octets, size_t count);

// Opens a regular file to be read; how many octets it has. The descriptor, or -errno: -EISDIR for what
// is no regular file.
int martlet_open_file(int directory, const uint8_t *_Nullable path, size_t path_count,
                      int64_t *_Nonnull size);

// Reads from an open file at an offset, at most `count` octets; how many there were.
long martlet_read_at(int file, uint8_t *_Nonnull octets, size_t count, int64_t offset);

// Gives a file new content, for its owner only, in one step. After a failure or a power cut the file has
// either the old content or the new content. The result is 0 when the new content is on the disk, and a
// negative errno when the file has its old content. A positive errno says that the disk has not confirmed the
// new content. Each read gets the new content then, and a power cut may bring the old content back. Without
// `waits` nobody asks the disk: a power cut may leave the old content, the new content, or half of it.
int martlet_replace_file(int directory, const uint8_t *_Nullable name, size_t name_count,
                         const uint8_t *_Nullable octets, size_t count, int waits);

// The class of a negative result, for programs that decide by it.
enum {
  MARTLET_FILE_OTHER,
  MARTLET_FILE_DISK_FULL,     // ENOSPC, EDQUOT
  MARTLET_FILE_READ_ONLY,     // EROFS
  MARTLET_FILE_NOT_PERMITTED, // EACCES, EPERM
  MARTLET_FILE_NO_DESCRIPTOR, // EMFILE, ENFILE
  MARTLET_FILE_NOT_THERE,     // ENOENT
  MARTLET_FILE_IS_FOLDER,     // EISDIR
  MARTLET_FILE_BAD_NAME,      // MARTLET_BAD_NAME, ENAMETOOLONG
  MARTLET_FILE_TOO_LARGE,     // MARTLET_TOO_LARGE, EFBIG
};
int martlet_file_error_class(int result);

// Files of a folder, by name. A name has 1 to MARTLET_NAME_SIZE octets and may come from outside. A name with
// "/" or NUL is refused with -MARTLET_BAD_NAME, as are "." and "..". A name that begins with ".martlet-" is
// refused as well, because files that are being written have such names. A symbolic link is not followed
// (-ELOOP). The result is -EISDIR for a folder, and -MARTLET_NO_FILE for what is neither file nor folder. One
// process at a time writes to a folder.
enum { MARTLET_NAME_SIZE = 255 };

// 0 for a name that the functions below allow.
int martlet_check_name(const uint8_t *_Nullable name, size_t name_count);

// Opens a directory. With `creates` a missing directory is made, for its owner only, and is on the disk
// before the call returns. The descriptor, or -errno.
int martlet_open_folder(const uint8_t *_Nullable path, size_t path_count, int creates);

// Whether an open directory is the user's, and nobody else may write to it: 0, -MARTLET_ANOTHER_OWNER,
// -MARTLET_OTHERS_MAY or -errno.
int martlet_check_folder(int folder);

// Reads a whole file. How many octets; -MARTLET_TOO_LARGE when the file has more than `count` octets.
long martlet_read_whole(int folder, const uint8_t *_Nullable name, size_t name_count,
                        uint8_t *_Nullable octets, size_t count);

// Replaces a file, as martlet_replace_file() does. With `keeps_former` the old content is first copied to
// the file NAME~, which is replaced in one step as well.
int martlet_replace_whole(int folder, const uint8_t *_Nullable name, size_t name_count,
                          const uint8_t *_Nullable octets, size_t count, int keeps_former, int waits);

// Appends a line, and a line feed, to a file that never has more than `size_max` octets. A file without
// room for the line is first renamed to NAME.1, in place of an older NAME.1. A line as long as `size_max`, or
// longer, is refused (-MARTLET_TOO_LARGE). With `waits` the line is on the disk when the call returns 0.
int martlet_append_line(int folder, const uint8_t *_Nullable name, size_t name_count,
                        const uint8_t *_Nullable octets, size_t count, int64_t size_max, int waits);

// Removes a file. A power cut may bring the file back.
int martlet_remove_file(int folder, const uint8_t *_Nullable name, size_t name_count);

// Opens a new file to be written part by part (martlet_write_all). The descriptor, or -errno. The file has
// a temporary name with *number until martlet_finish_file() renames it.
int martlet_begin_file(int folder, uint32_t *_Nonnull number);

// Closes the file and gives it a name, in place of an older file. The results are those of
// martlet_replace_file(). After a failure the file is removed.
int martlet_finish_file(int folder, int file, uint32_t number, const uint8_t *_Nullable name,
                        size_t name_count, int waits);

// Closes the file and removes it.
void martlet_abandon_file(int folder, int file, uint32_t number);

// Removes the files that martlet_begin_file() and a power cut have left. How many, or -errno.
int martlet_remove_unfinished(int folder);

// A listing of a folder in the kernel's order, of MARTLET_LISTING_COUNT numbers of memory: several entries,
// of which the longest has 280 octets.
enum { MARTLET_LISTING_COUNT = 128 };
struct martlet_listing {
  int32_t descriptor;  // negative: there is no listing
  uint32_t start, end; // octets of the memory that hold entries
  // The last entry that was found. The name lies in the listing's memory until the next entry.
  uint32_t kind;
  int64_t size; // octets of a file; 0 for all else
  const uint8_t *_Nullable name;
  size_t name_count;
};
enum { MARTLET_ENTRY_FILE, MARTLET_ENTRY_FOLDER, MARTLET_ENTRY_OTHER };

// Begins a listing. 0, or -errno.
int martlet_begin_entries(int folder, struct martlet_listing *_Nonnull listing);

// Finds the next entry. 1; 0 after the last entry; or -errno. What is removed meanwhile may be left out.
int martlet_next_entry(struct martlet_listing *_Nonnull listing, uint64_t *_Nonnull memory);

// Ends a listing, wherever it is.
void martlet_end_entries(struct martlet_listing *_Nonnull listing);

// Facts of a file: its octets, and when its content has changed last.
struct martlet_file_facts {
  int64_t size, seconds, nanoseconds;
};

// Opens a regular file below `folder` for reading. The path is relative, and none of its names is empty, `.` or
// `..`. A symbolic link is followed when it stays below the folder and openat2() is there (Linux 5.6). Where it
// is not, and with `walks`, a symbolic link is refused with -ELOOP or -ENOTDIR. The call waits for no pipe.
// -EISDIR for a folder, -MARTLET_NO_FILE for what is neither file nor folder.
int martlet_open_below(int folder, const uint8_t *_Nullable path, size_t path_count, int walks,
                       struct martlet_file_facts *_Nonnull facts);
