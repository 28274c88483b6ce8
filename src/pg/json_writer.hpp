// Row receivers: result rows -> bytes, while the executor runs. The main statement's rows become
// JSON here.
//
// Input -> output: the rows of one statement -> a ByteSink (appended, never read).
// Invariants: kJsonArray writes, byte for byte, what SELECT json_agg(t) FROM (statement) t gives;
// "[]" for no rows. Types are looked up once per statement; nothing is kept beyond it.
// Ownership: the receiver and all it allocates live in the memory context `cx`, which belongs to
// the caller and lives longer than the statement but not than its transaction; the sink belongs to
// the caller, also after an error (then it ends anywhere).
// Errors: all functions may raise PostgreSQL's; output functions do, exhausted memory is 53200.
#pragma once

#include <cstdint>

typedef struct _DestReceiver DestReceiver;
typedef struct MemoryContextData* MemoryContext;

namespace pgrst::pg {

struct ByteSink;

enum class RowFormat {
  kJsonArray,          // '[' rows separated by ", \n " ']'
  kJsonObject,         // the first row alone, "null" for no rows; all rows are counted
  kJsonValues,         // the first columns alone, as json_agg gives them
  kJsonValue,          // that of the first row; "null" for no rows
  kJsonArrayStripped,  // as those above, then as json_strip_nulls gives them
  kJsonObjectStripped,
  kJsonValuesStripped,
  kJsonValueStripped,
  kCsv,       // a line of column names, then each row as its text without the parentheses; embeds,
              // which are of type record or record[], as JSON. "\n" for no rows.
  kGeoJson,   // a FeatureCollection; the rows have one column, which is the feature
  kRaw,       // one row: the number of rows it was made of (bigint), and the bytes of the body
  kRecords,   // per row: uint32 columns; per column: int32 length (-1: NULL), bytes of the type's
              // text output. Native byte order.
  kLines,     // the first columns as text, each with a newline behind it
  kCountOnly  // nothing; `out` may be null
};

// How rows of type record, and arrays of them, are written within a row: as json_agg does, or,
// since only embeds have no type of their own, as to_jsonb does.
enum class RecordStyle { kJson, kJsonb };

// For SPIExecuteOptions.dest; serves one statement. Only the rows [offset, offset + limit) are
// written.
DestReceiver* px_create_row_receiver(RowFormat format, std::uint64_t offset, std::uint64_t limit,
                                     RecordStyle records, ByteSink* out, MemoryContext cx);

// Writes what is due after the last row (kJsonArray: the closing bracket). Call once, after every
// statement that ended without error: the executor does not start the receiver for a statement that
// returns no rows.
void px_finish(DestReceiver* receiver);

// Rows received so far: within the window, and in all.
std::uint64_t px_row_count(const DestReceiver* receiver);
std::uint64_t px_total_count(const DestReceiver* receiver);

}  // namespace pgrst::pg
