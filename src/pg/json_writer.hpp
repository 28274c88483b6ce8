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
struct _SPI_plan;

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
  kCsv,  // a line of column names, then each row as its text without the parentheses; embeds
         // as JSON. Of no rows "\n", with the names in front if there are rows outside the window.
  kCsvMarked,  // the same, but the first column is a mark: where it is null the row is none, but
               // the names are written
  kGeoJson,    // a FeatureCollection; the rows have one column, which is the feature
  kRaw,        // one row: the number of rows it was made of (bigint), and the bytes of the body
  kRecords,    // per row: uint32 columns; per column: int32 length (-1: NULL), bytes of the type's
               // text output. Native byte order.
  kLines,      // the first columns as text, each with a newline behind it
  kCountOnly   // nothing; `out` may be null
};

// For SPIExecuteOptions.dest; serves one execution of `plan`. Only the rows [offset, offset +
// limit) are written. Columns that are embeds (embed_columns.hpp) are written as to_jsonb writes
// them, all others as json_agg does; if `plan` is null, there are none.
DestReceiver* px_create_row_receiver(RowFormat format, std::uint64_t offset, std::uint64_t limit,
                                     _SPI_plan* plan, ByteSink* out, MemoryContext cx);

// Writes what is due after the last row (kJsonArray: the closing bracket). Call once, after every
// statement that ended without error: the executor does not start the receiver for a statement that
// returns no rows.
void px_finish(DestReceiver* receiver);

// Rows received so far: within the window, and in all.
std::uint64_t px_row_count(const DestReceiver* receiver);
std::uint64_t px_total_count(const DestReceiver* receiver);

}  // namespace pgrst::pg
