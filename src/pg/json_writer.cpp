// The rules are those of the server's json.c (datum_to_json, composite_to_json,
// array_to_json_internal, json_categorize_type), which did not change in what they write from 14 to
// 18; only the bookkeeping differs. json.c looks up the category and the output function of every
// value anew. Here they hang in a tree that follows the values:
//
//   Column -> TypeNode -+- ElementNode (arrays: one per element type met) -> TypeNode ...
//                       +- RowNode (composites: one per row type met) -> Column -> TypeNode ...
//
// A node is filled in when the first value that is not NULL arrives: only values tell the row type
// of a record and the element type of anyarray, and json.c looks up no type of which it sees no
// value. No node is in use twice at a time, so a RowNode keeps the arrays that its tuples are taken
// apart into.
//
// Embeds are written as the server writes jsonb: spaces after separators, keys ordered by length
// and bytes, the last of equal ones, and whatever is in them likewise. PostgREST makes them jsonb,
// and clients may compare bytes. Which columns are embeds, the statement tells (embed_columns.hpp).
//
// What output functions allocate goes to a memory context that is reset after each row.

#include "pg/json_writer.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include "pg/embed_columns.hpp"
#include "pg/json_string.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/arrayaccess.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
}

namespace pgrst::pg {
namespace {

enum class ValueKind {
  kUnknown,  // no value seen yet
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kDate,
  kTimestamp,
  kTimestampTz,
  kUuid,
  kName,
  kText,        // varlena whose bytes are its text
  kJsonText,    // json: varlena, written as it is
  kJsonOutput,  // jsonb: output function, written as it is
  kJsonCast,    // a user's type with a cast function to json, written as it is
  kOutput,      // output function, written as a string
  kArray,
  kRow
};

struct ElementNode;
struct RowNode;

struct TypeNode {
  Oid type;
  ValueKind kind;
  bool jsonb;             // written as jsonb is
  FmgrInfo function;      // kJsonOutput, kOutput: output function; kJsonCast: cast function
  ElementNode* elements;  // kArray, most recent first
  RowNode* rows;          // kRow, most recent first
};

struct ElementNode {
  ElementNode* next;
  int16 length;
  bool by_value;
  char alignment;
  TypeNode type;
};

struct Column {
  const char* prefix;  // {"name": or ,"name":
  std::size_t prefix_length;
  bool hidden;  // dropped, or of a name that a later one has
  TypeNode type;
};

struct RowNode {
  RowNode* next;
  Oid type;
  int32 typmod;
  TypeCacheEntry* entry;  // named types only; the cache never frees entries
  uint64 identifier;      // of entry->tupDesc when `descriptor` was copied from it
  TupleDesc descriptor;
  Column* columns;
  int* order;  // in which the columns are written; null: as they are
  Datum* values;
  bool* nulls;
};

struct RowReceiver {
  DestReceiver pub;  // first, as the server casts
  RowFormat format;
  _SPI_plan* plan;
  ByteSink* out;
  MemoryContext cx;
  MemoryContext row_cx;
  uint64 rows;   // written
  uint64 total;  // received
  uint64 offset;
  uint64 limit;
  bool (*receive)(TupleTableSlot*, DestReceiver*);  // of a row within the window
  int column_count;
  Column* columns;
  int first_column;    // of those that are written
  bool named;          // kCsvMarked: a row that is none was there
  const char* header;  // kCsv: the line of names; null before the statement has started
  ByteSink scratch;    // kJson...Stripped, kCsv: a value or row before it is rewritten
  MemoryContextCallback free_scratch;
};

struct ArrayCursor {
  array_iter values;
  ElementNode* element;
  const int* dimensions;
  int dimension_count;
  int position;
};

RowReceiver* self_of(DestReceiver* receiver) { return reinterpret_cast<RowReceiver*>(receiver); }

// ---------------------------------------------------------------------------------------------------
// Types

struct BuiltIn {
  Oid type;
  ValueKind kind;
};

constexpr BuiltIn kBuiltIns[] = {
    {INT4OID, ValueKind::kInt4},           {TEXTOID, ValueKind::kText},
    {INT8OID, ValueKind::kInt8},           {BOOLOID, ValueKind::kBool},
    {NUMERICOID, ValueKind::kNumeric},     {TIMESTAMPTZOID, ValueKind::kTimestampTz},
    {TIMESTAMPOID, ValueKind::kTimestamp}, {DATEOID, ValueKind::kDate},
    {UUIDOID, ValueKind::kUuid},           {VARCHAROID, ValueKind::kText},
    {BPCHAROID, ValueKind::kText},         {NAMEOID, ValueKind::kName},
    {JSONOID, ValueKind::kJsonText},       {FLOAT8OID, ValueKind::kFloat8},
    {FLOAT4OID, ValueKind::kFloat4},       {INT2OID, ValueKind::kInt2},
};

ValueKind built_in_kind(Oid type) {
  for (const BuiltIn& entry : kBuiltIns) {
    if (entry.type == type) return entry.kind;
  }
  return ValueKind::kUnknown;
}

void px_find_output_function(RowReceiver* self, TypeNode* node, Oid type) {
  Oid function;
  bool is_varlena;
  getTypeOutputInfo(type, &function, &is_varlena);
  fmgr_info_cxt(function, &node->function, self->cx);
}

// json_categorize_type for what is not built in above.
ValueKind px_categorize(RowReceiver* self, TypeNode* node, Oid type) {
  if (type == JSONBOID) {
    px_find_output_function(self, node, type);
    return ValueKind::kJsonOutput;
  }
  if (OidIsValid(get_element_type(type)) || type == ANYARRAYOID || type == ANYCOMPATIBLEARRAYOID ||
      type == RECORDARRAYOID) {
    return ValueKind::kArray;
  }
  if (type_is_rowtype(type)) return ValueKind::kRow;
  if (type >= FirstNormalObjectId) {
    Oid function;
    const CoercionPathType path =
        find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &function);
    if (path == COERCION_PATH_FUNC && OidIsValid(function)) {
      fmgr_info_cxt(function, &node->function, self->cx);
      return ValueKind::kJsonCast;
    }
  }
  px_find_output_function(self, node, type);
  const PGFunction code = node->function.fn_addr;
  if ((code == textout || code == varcharout || code == bpcharout) && get_typlen(type) == -1) {
    return ValueKind::kText;  // citext and the like
  }
  return ValueKind::kOutput;
}

// How values of this type are written as JSON. Domains count as what they are made from.
void px_resolve_json(RowReceiver* self, TypeNode* node) {
  ValueKind kind = built_in_kind(node->type);
  if (kind == ValueKind::kUnknown) {
    const Oid base = getBaseType(node->type);
    kind = built_in_kind(base);
    if (kind == ValueKind::kUnknown) kind = px_categorize(self, node, base);
  }
  node->kind = kind;
}

// How they are written as plain text.
void px_resolve_text(RowReceiver* self, TypeNode* node) {
  ValueKind kind = built_in_kind(node->type);
  if (kind != ValueKind::kText && kind != ValueKind::kName) {
    px_find_output_function(self, node, node->type);
    kind = ValueKind::kOutput;
  }
  node->kind = kind;
}

// How jsonb orders keys.
int compare_keys(const NameData* a, const NameData* b) {
  const std::size_t a_length = std::strlen(NameStr(*a));
  const std::size_t b_length = std::strlen(NameStr(*b));
  if (a_length != b_length) return a_length < b_length ? -1 : 1;
  return std::memcmp(NameStr(*a), NameStr(*b), a_length);
}

// The order of the columns as keys of a jsonb object; hides those whose name comes again.
int* px_order_columns(MemoryContext cx, TupleDesc descriptor, Column* columns) {
  const int count = descriptor->natts;
  auto* order = static_cast<int*>(MemoryContextAlloc(cx, (count + 1) * sizeof(int)));
  for (int i = 0; i < count; i++) order[i] = i;
  const auto name = [&](int i) { return &TupleDescAttr(descriptor, i)->attname; };
  std::stable_sort(order, order + count,
                   [&](int a, int b) { return compare_keys(name(a), name(b)) < 0; });
  for (int i = 0; i + 1 < count; i++) {
    if (compare_keys(name(order[i]), name(order[i + 1])) == 0) columns[order[i]].hidden = true;
  }
  return order;
}

char* put_name(char* to, const char* name) {
  *to++ = '"';
  for (const char* c = name; *c != '\0'; c++) {
    if (needs_escape(static_cast<unsigned char>(*c))) {
      to += write_escape(to, *c);
    } else {
      *to++ = *c;
    }
  }
  *to++ = '"';
  *to++ = ':';
  return to;
}

// Names, with all that stands between two values, are made into bytes once. `order` is null but for
// jsonb, where it is set.
Column* px_make_columns(MemoryContext cx, TupleDesc descriptor, int** order) {
  const int count = descriptor->natts;
  std::size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    const std::size_t name = std::strlen(NameStr(TupleDescAttr(descriptor, i)->attname));
    bytes += name * kLongestEscape + 6;
  }
  auto* columns = static_cast<Column*>(MemoryContextAllocZero(cx, count * sizeof(Column)));
  auto* text = static_cast<char*>(MemoryContextAlloc(cx, bytes));
  for (int i = 0; i < count; i++) columns[i].hidden = TupleDescAttr(descriptor, i)->attisdropped;
  if (order != nullptr) *order = px_order_columns(cx, descriptor, columns);
  bool first = true;
  for (int i = 0; i < count; i++) {
    const int at = order == nullptr ? i : (*order)[i];
    const FormData_pg_attribute* attribute = TupleDescAttr(descriptor, at);
    columns[at].type.type = attribute->atttypid;
    columns[at].type.jsonb = order != nullptr;
    if (columns[at].hidden) continue;
    const char* const start = text;
    *text++ = first ? '{' : ',';
    if (!first && order != nullptr) *text++ = ' ';
    text = put_name(text, NameStr(attribute->attname));
    if (order != nullptr) *text++ = ' ';
    columns[at].prefix = start;
    columns[at].prefix_length = text - start;
    first = false;
  }
  return columns;
}

// Both find functions move what they find to the front: neighbouring values mostly are of one type.
ElementNode* px_find_element(RowReceiver* self, TypeNode* node, Oid type) {
  ElementNode** link = &node->elements;
  while (*link != nullptr && (*link)->type.type != type) link = &(*link)->next;
  ElementNode* element = *link;
  if (likely(element != nullptr)) {
    *link = element->next;
  } else {
    element = static_cast<ElementNode*>(MemoryContextAllocZero(self->cx, sizeof(ElementNode)));
    get_typlenbyvalalign(type, &element->length, &element->by_value, &element->alignment);
    element->type.type = type;
    element->type.jsonb = node->jsonb;
  }
  element->next = node->elements;
  node->elements = element;
  return element;
}

void px_describe_row(RowReceiver* self, RowNode* row, TupleDesc descriptor, bool jsonb) {
  const MemoryContext old_cx = MemoryContextSwitchTo(self->cx);
  // With the values that columns added later have in older rows.
  row->descriptor = CreateTupleDescCopyConstr(descriptor);
  row->order = nullptr;
  row->columns = px_make_columns(self->cx, descriptor, jsonb ? &row->order : nullptr);
  row->values = static_cast<Datum*>(palloc(descriptor->natts * sizeof(Datum)));
  row->nulls = static_cast<bool*>(palloc(descriptor->natts * sizeof(bool)));
  MemoryContextSwitchTo(old_cx);
}

// A function in the statement may change a named type between two rows; record types never change.
void px_refresh_row(RowReceiver* self, RowNode* row, bool jsonb) {
  if (row->type == RECORDOID) {
    if (row->descriptor != nullptr) return;
    TupleDesc descriptor = lookup_rowtype_tupdesc(row->type, row->typmod);
    px_describe_row(self, row, descriptor, jsonb);
    ReleaseTupleDesc(descriptor);
    return;
  }
  if (likely(row->entry != nullptr && row->entry->tupDesc != nullptr &&
             row->entry->tupDesc_identifier == row->identifier)) {
    return;
  }
  TupleDesc descriptor = lookup_rowtype_tupdesc(row->type, row->typmod);
  row->entry = lookup_type_cache(row->type, TYPECACHE_TUPDESC);
  row->identifier = row->entry->tupDesc_identifier;
  if (row->descriptor == nullptr || !equalTupleDescs(row->descriptor, descriptor)) {
    px_describe_row(self, row, descriptor, jsonb);
  }
  ReleaseTupleDesc(descriptor);
}

RowNode* px_find_row(RowReceiver* self, TypeNode* node, Oid type, int32 typmod) {
  RowNode** link = &node->rows;
  while (*link != nullptr && ((*link)->type != type || (*link)->typmod != typmod)) {
    link = &(*link)->next;
  }
  RowNode* row = *link;
  if (likely(row != nullptr)) {
    *link = row->next;
  } else {
    row = static_cast<RowNode*>(MemoryContextAllocZero(self->cx, sizeof(RowNode)));
    row->type = type;
    row->typmod = typmod;
  }
  row->next = node->rows;
  node->rows = row;
  px_refresh_row(self, row, node->jsonb);
  return row;
}

// ---------------------------------------------------------------------------------------------------
// Values

void px_put_value(RowReceiver* self, const char* prefix, std::size_t prefix_length, TypeNode* node,
                  Datum value, bool is_null);

// The innermost dimension holds the values.
void px_put_dimension(RowReceiver* self, ArrayCursor* cursor, int dimension) {
  px_append(self->out, "[", 1);
  ElementNode* const element = cursor->element;
  const bool innermost = dimension + 1 == cursor->dimension_count;
  for (int i = 0; i < cursor->dimensions[dimension]; i++) {
    const std::size_t comma = i == 0 ? 0 : element->type.jsonb ? 2 : 1;
    if (innermost) {
      bool is_null;
      const Datum value = array_iter_next(&cursor->values, &is_null, cursor->position++,
                                          element->length, element->by_value, element->alignment);
      px_put_value(self, ", ", comma, &element->type, value, is_null);
    } else {
      px_append(self->out, ", ", comma);
      px_put_dimension(self, cursor, dimension + 1);
    }
  }
  px_append(self->out, "]", 1);
}

void px_put_array(RowReceiver* self, TypeNode* node, Datum value) {
  check_stack_depth();
  AnyArrayType* const array = DatumGetAnyArrayP(value);
  ArrayCursor cursor;
  cursor.dimension_count = AARR_NDIM(array);
  cursor.dimensions = AARR_DIMS(array);
  cursor.position = 0;
  if (ArrayGetNItems(cursor.dimension_count, cursor.dimensions) <= 0) {
    px_append(self->out, "[]", 2);
    return;
  }
  cursor.element = px_find_element(self, node, AARR_ELEMTYPE(array));
  array_iter_setup(&cursor.values, array);
  px_put_dimension(self, &cursor, 0);
}

void px_put_columns(RowReceiver* self, Column* columns, const int* order, int count,
                    const Datum* values, const bool* nulls) {
  bool empty = true;
  for (int i = 0; i < count; i++) {
    const int at = order == nullptr ? i : order[i];
    Column* const column = &columns[at];
    if (column->hidden) continue;
    px_put_value(self, column->prefix, column->prefix_length, &column->type, values[at], nulls[at]);
    empty = false;
  }
  if (empty) px_append(self->out, "{", 1);
  px_append(self->out, "}", 1);
}

void px_put_row(RowReceiver* self, TypeNode* node, Datum value) {
  check_stack_depth();
  HeapTupleHeader const header = DatumGetHeapTupleHeader(value);
  RowNode* const row =
      px_find_row(self, node, HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  HeapTupleData tuple;
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  ItemPointerSetInvalid(&tuple.t_self);
  tuple.t_tableOid = InvalidOid;
  tuple.t_data = header;
  heap_deform_tuple(&tuple, row->descriptor, row->values, row->nulls);
  px_put_columns(self, row->columns, row->order, row->descriptor->natts, row->values, row->nulls);
}

// JSON text as jsonb writes it.
void px_put_as_jsonb(RowReceiver* self, const text* json) {
  char* const in = text_to_cstring(json);
  Jsonb* const value = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(in)));
  char* const out = JsonbToCString(nullptr, &value->root, VARSIZE(value));
  px_append(self->out, out, std::strlen(out));
}

void px_put_json(RowReceiver* self, const TypeNode* node, const text* json) {
  if (node->jsonb) {
    px_put_as_jsonb(self, json);
  } else {
    px_append(self->out, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
  }
}

// Values of any length.
void px_put_long_value(RowReceiver* self, TypeNode* node, Datum value) {
  switch (node->kind) {
    case ValueKind::kNumeric: {
      char* const text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
      const char digit = text[0] == '-' ? text[1] : text[0];
      if (digit >= '0' && digit <= '9') {
        px_append(self->out, text, std::strlen(text));
      } else {  // NaN, Infinity
        px_put_string(self->out, text, std::strlen(text));
      }
      pfree(text);
      return;
    }
    case ValueKind::kJsonText: {
      px_put_json(self, node, DatumGetTextPP(value));
      return;
    }
    case ValueKind::kJsonCast: {
      px_put_json(self, node, DatumGetTextPP(FunctionCall1(&node->function, value)));
      return;
    }
    case ValueKind::kJsonOutput: {
      char* const json = OutputFunctionCall(&node->function, value);
      px_append(self->out, json, std::strlen(json));
      pfree(json);
      return;
    }
    case ValueKind::kArray:
      px_put_array(self, node, value);
      return;
    case ValueKind::kRow:
      px_put_row(self, node, value);
      return;
    default: {
      char* const text = OutputFunctionCall(&node->function, value);
      px_put_string(self->out, text, std::strlen(text));
      pfree(text);
      return;
    }
  }
}

// Room for every value that px_put_short_value writes.
constexpr std::size_t kShortValue = 192;
static_assert(kShortValue > MAXDATELEN + 3 && kShortValue > 2 * NAMEDATALEN);

char* px_put_float(char* to, const TypeNode* node, Datum value) {
  const bool is_float4 = node->kind == ValueKind::kFloat4;
  const bool finite =
      is_float4 ? std::isfinite(DatumGetFloat4(value)) : std::isfinite(DatumGetFloat8(value));
  if (!finite) *to++ = '"';
  if (extra_float_digits > 0) {
    to += is_float4 ? float_to_shortest_decimal_buf(DatumGetFloat4(value), to)
                    : double_to_shortest_decimal_buf(DatumGetFloat8(value), to);
  } else {
    const Datum printed =
        is_float4 ? DirectFunctionCall1(float4out, value) : DirectFunctionCall1(float8out, value);
    char* const text = DatumGetCString(printed);
    const std::size_t length = std::strlen(text);
    std::memcpy(to, text, length);
    to += length;
    pfree(text);
  }
  if (!finite) *to++ = '"';
  return to;
}

// A number of jsonb is a numeric: it has neither exponent nor negative zero.
void px_put_float_as_jsonb(ByteSink* out, const char* text, std::size_t length) {
  const bool negative_zero = length == 2 && std::memcmp(text, "-0", 2) == 0;
  if (!negative_zero && std::memchr(text, 'e', length) == nullptr) {
    px_append(out, text, length);
    return;
  }
  char* const copy = pnstrdup(text, length);
  const Datum number = DirectFunctionCall3(numeric_in, CStringGetDatum(copy),
                                           ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
  char* const plain = DatumGetCString(DirectFunctionCall1(numeric_out, number));
  px_append(out, plain, std::strlen(plain));
}

char* px_put_datetime(char* to, Datum value, Oid type) {
  *to++ = '"';
  JsonEncodeDateTime(to, value, type, nullptr);
  to += std::strlen(to);
  *to++ = '"';
  return to;
}

char* put_uuid(char* to, const pg_uuid_t* uuid) {
  *to++ = '"';
  for (int i = 0; i < UUID_LEN; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = kHex[uuid->data[i] >> 4];
    *to++ = kHex[uuid->data[i] & 0xf];
  }
  *to++ = '"';
  return to;
}

// Writes a value of bounded length at `to`, which has room for kShortValue bytes. Returns the end,
// or null if the value is not of that sort.
char* px_put_short_value(char* to, const TypeNode* node, Datum value) {
  switch (node->kind) {
    case ValueKind::kBool: {
      const bool yes = DatumGetBool(value);
      std::memcpy(to, yes ? "true " : "false", 5);
      return to + (yes ? 4 : 5);
    }
    case ValueKind::kInt2:
      return to + pg_ltoa(DatumGetInt16(value), to);
    case ValueKind::kInt4:
      return to + pg_ltoa(DatumGetInt32(value), to);
    case ValueKind::kInt8:
      return to + pg_lltoa(DatumGetInt64(value), to);
    case ValueKind::kFloat4:
    case ValueKind::kFloat8:
      return px_put_float(to, node, value);
    case ValueKind::kDate:
      return px_put_datetime(to, value, DATEOID);
    case ValueKind::kTimestamp:
      return px_put_datetime(to, value, TIMESTAMPOID);
    case ValueKind::kTimestampTz:
      return px_put_datetime(to, value, TIMESTAMPTZOID);
    case ValueKind::kUuid:
      return put_uuid(to, DatumGetUUIDP(value));
    default:
      return nullptr;
  }
}

// A string after its prefix; the prefix stands at `start`, with room for kShortValue bytes behind
// it.
void px_put_text(ByteSink* out, char* start, std::size_t prefix_length, const char* text,
                 std::size_t length) {
  char* const to = start + prefix_length;
  *to = '"';
  const std::size_t clean = copy_clean(to + 1, text, Min(length, kShortValue - 2));
  if (likely(clean == length)) {
    to[1 + length] = '"';
    out->commit(prefix_length + length + 2);
  } else {
    out->commit(prefix_length + 1 + clean);
    px_put_string_rest(out, text + clean, length - clean);
  }
}

void px_put_value(RowReceiver* self, const char* prefix, std::size_t prefix_length, TypeNode* node,
                  Datum value, bool is_null) {
  ByteSink* const out = self->out;
  char* const start = px_reserve(out, prefix_length + kShortValue);
  std::memcpy(start, prefix, prefix_length);
  if (is_null) {
    std::memcpy(start + prefix_length, "null", 4);
    out->commit(prefix_length + 4);
    return;
  }
  if (unlikely(node->kind == ValueKind::kUnknown)) px_resolve_json(self, node);
  if (node->kind == ValueKind::kText) {
    const text* const packed = DatumGetTextPP(value);
    px_put_text(out, start, prefix_length, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
  } else if (node->kind == ValueKind::kName) {
    const char* const name = NameStr(*DatumGetName(value));
    px_put_text(out, start, prefix_length, name, std::strlen(name));
  } else if (char* const end = px_put_short_value(start + prefix_length, node, value);
             end != nullptr) {
    const bool is_float = node->kind == ValueKind::kFloat4 || node->kind == ValueKind::kFloat8;
    if (node->jsonb && is_float) {
      char text[kShortValue];
      const std::size_t length = end - start - prefix_length;
      std::memcpy(text, start + prefix_length, length);
      out->commit(prefix_length);
      px_put_float_as_jsonb(out, text, length);
      return;
    }
    out->commit(end - start);
  } else {
    out->commit(prefix_length);
    px_put_long_value(self, node, value);
  }
}

void px_put_plain(RowReceiver* self, const char* text, std::size_t length) {
  const auto announced = static_cast<int32>(length);
  px_append(self->out, reinterpret_cast<const char*>(&announced), sizeof(announced));
  px_append(self->out, text, length);
}

void px_put_plain_value(RowReceiver* self, TypeNode* node, Datum value, bool is_null) {
  if (is_null) {
    const int32 absent = -1;
    px_append(self->out, reinterpret_cast<const char*>(&absent), sizeof(absent));
    return;
  }
  if (unlikely(node->kind == ValueKind::kUnknown)) px_resolve_text(self, node);
  if (node->kind == ValueKind::kText) {
    const text* const packed = DatumGetTextPP(value);
    px_put_plain(self, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
  } else if (node->kind == ValueKind::kName) {
    const char* const name = NameStr(*DatumGetName(value));
    px_put_plain(self, name, std::strlen(name));
  } else {
    char* const text = OutputFunctionCall(&node->function, value);
    px_put_plain(self, text, std::strlen(text));
    pfree(text);
  }
}

// ---------------------------------------------------------------------------------------------------
// Receivers

// -- without nulls: a row is written, stripped by the server's own function, and taken over ---

// What is written goes into the scratch until px_end_scratch(), within the limit of `out`.
ByteSink* px_begin_scratch(RowReceiver* self) {
  ByteSink* const out = self->out;
  if (out->is_over()) px_too_large();
  self->scratch.clear();
  self->scratch.limit = out->limit - out->size();
  self->out = &self->scratch;
  return out;
}

text* px_end_scratch(RowReceiver* self, ByteSink* before) {
  self->out = before;
  const ByteSink* const scratch = &self->scratch;
  const std::size_t size = scratch->size();
  if (size > MaxAllocSize - VARHDRSZ) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a row is too large"),
                    errdetail("Its JSON takes %zu bytes.", size)));
  }
  auto* out = static_cast<text*>(palloc(size + VARHDRSZ));
  SET_VARSIZE(out, size + VARHDRSZ);
  scratch->copy_to(VARDATA(out));
  return out;
}

void px_put_stripped_columns(RowReceiver* self, TupleTableSlot* slot) {
  ByteSink* const out = px_begin_scratch(self);
  px_put_columns(self, self->columns, nullptr, self->column_count, slot->tts_values,
                 slot->tts_isnull);
  const Datum row = PointerGetDatum(px_end_scratch(self, out));
  const text* const stripped = DatumGetTextPP(DirectFunctionCall1(json_strip_nulls, row));
  px_append(out, VARDATA_ANY(stripped), VARSIZE_ANY_EXHDR(stripped));
}

// -- CSV: the text of a row value, less its parentheses ---

bool is_csv_special(char c) {
  return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' ||
         isspace(static_cast<unsigned char>(c));
}

void px_put_csv_text(ByteSink* out, const char* text, std::size_t length) {
  bool quote = length == 0;
  for (std::size_t i = 0; i < length && !quote; i++) quote = is_csv_special(text[i]);
  if (!quote) {
    px_append(out, text, length);
    return;
  }
  constexpr std::size_t kPiece = 4096;
  px_append(out, "\"", 1);
  while (length > 0) {
    const std::size_t piece = Min(length, kPiece);
    char* const start = px_reserve(out, 2 * piece);
    char* to = start;
    for (std::size_t i = 0; i < piece; i++) {
      if (text[i] == '"' || text[i] == '\\') *to++ = text[i];
      *to++ = text[i];
    }
    out->commit(to - start);
    text += piece;
    length -= piece;
  }
  px_append(out, "\"", 1);
}

// An embed stands as its JSON.
void px_put_csv_json(RowReceiver* self, TypeNode* node, Datum value) {
  ByteSink* const out = px_begin_scratch(self);
  px_put_value(self, "", 0, node, value, false);
  const text* const json = px_end_scratch(self, out);
  px_put_csv_text(out, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
}

void px_put_csv_value(RowReceiver* self, TypeNode* node, Datum value) {
  if (node->jsonb) {
    px_put_csv_json(self, node, value);
    return;
  }
  if (unlikely(node->kind == ValueKind::kUnknown)) px_resolve_text(self, node);
  if (node->kind == ValueKind::kText) {
    const text* const packed = DatumGetTextPP(value);
    px_put_csv_text(self->out, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
  } else if (node->kind == ValueKind::kName) {
    const char* const name = NameStr(*DatumGetName(value));
    px_put_csv_text(self->out, name, std::strlen(name));
  } else {
    char* const text = OutputFunctionCall(&node->function, value);
    px_put_csv_text(self->out, text, std::strlen(text));
    pfree(text);
  }
}

// The names as they are: PostgREST does not quote them. Not those of a row's slot, which is the top
// plan node's: a scan has the names of its table in it, an Append none.
const char* px_csv_header(MemoryContext cx, TupleDesc descriptor, int first) {
  std::size_t bytes = 1;
  for (int i = 0; i < descriptor->natts; i++) {
    bytes += std::strlen(NameStr(TupleDescAttr(descriptor, i)->attname)) + 1;
  }
  auto* header = static_cast<char*>(MemoryContextAlloc(cx, bytes));
  char* to = header;
  for (int i = first; i < descriptor->natts; i++) {
    if (i > first) *to++ = ',';
    const char* const name = NameStr(TupleDescAttr(descriptor, i)->attname);
    const std::size_t length = std::strlen(name);
    std::memcpy(to, name, length);
    to += length;
  }
  *to = '\0';
  return header;
}

bool is_csv(RowFormat format) {
  return format == RowFormat::kCsv || format == RowFormat::kCsvMarked;
}

void px_put_csv_header(RowReceiver* self) {
  if (self->header != nullptr) px_append(self->out, self->header, std::strlen(self->header));
}

void px_free_scratch(void* argument) { static_cast<RowReceiver*>(argument)->scratch.free_all(); }

void px_startup(DestReceiver* receiver, int, TupleDesc descriptor) {
  RowReceiver* const self = self_of(receiver);
  if (self->format == RowFormat::kCountOnly) return;
  if (self->row_cx == nullptr) {
    self->row_cx = AllocSetContextCreate(self->cx, "postgrest row", ALLOCSET_DEFAULT_SIZES);
  }
  self->column_count = descriptor->natts;
  self->columns = px_make_columns(self->cx, descriptor, nullptr);
  if (is_csv(self->format)) {
    self->header = px_csv_header(self->cx, descriptor, self->first_column);
  }
  if (self->plan == nullptr) return;
  auto* embeds = static_cast<bool*>(palloc0(descriptor->natts * sizeof(bool)));
  find_embeds(self->plan, embeds, descriptor->natts);
  for (int i = 0; i < descriptor->natts; i++) self->columns[i].type.jsonb = embeds[i];
  pfree(embeds);
}

constexpr char kGeoJsonHead[] = "{\"type\" : \"FeatureCollection\", \"features\" : [";

bool px_receive_json(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  if (self->rows == 0) {
    px_append(self->out, "[", 1);
  } else {
    px_append(self->out, ", \n ", 4);
  }
  px_put_columns(self, self->columns, nullptr, self->column_count, slot->tts_values,
                 slot->tts_isnull);
  self->rows++;
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

bool px_receive_stripped(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  const bool array = self->format == RowFormat::kJsonArrayStripped;
  if (self->rows++ > 0 && !array) return true;
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  if (array) px_append(self->out, self->rows == 1 ? "[" : ",", 1);
  px_put_stripped_columns(self, slot);
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

bool px_receive_csv(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  if (self->rows++ == 0) px_put_csv_header(self);
  px_append(self->out, "\n", 1);
  for (int i = self->first_column; i < self->column_count; i++) {
    if (i > self->first_column) px_append(self->out, ",", 1);
    if (!slot->tts_isnull[i]) px_put_csv_value(self, &self->columns[i].type, slot->tts_values[i]);
  }
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

// Each row is one feature of a GeoJSON collection, in one column of type json.
bool px_receive_feature(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  if (self->rows++ > 0) px_append(self->out, ", ", 2);
  px_put_value(self, "", 0, &self->columns[0].type, slot->tts_values[0], slot->tts_isnull[0]);
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// PostgREST takes a lone value out of an array again: white space around it is lost.
void px_put_trimmed_json(RowReceiver* self, TypeNode* node, Datum value) {
  const text* json = nullptr;
  if (node->kind == ValueKind::kJsonText) {
    json = DatumGetTextPP(value);
  } else if (node->kind == ValueKind::kJsonCast) {
    json = DatumGetTextPP(FunctionCall1(&node->function, value));
  } else {
    px_put_value(self, "", 0, node, value, false);
    return;
  }
  const char* begin = VARDATA_ANY(json);
  const char* end = begin + VARSIZE_ANY_EXHDR(json);
  while (begin < end && is_json_space(*begin)) begin++;
  while (begin < end && is_json_space(end[-1])) end--;
  px_append(self->out, begin, end - begin);
}

// The separator that json_agg writes before a value.
const char* value_separator(const TypeNode* node) {
  return node->kind == ValueKind::kArray || node->kind == ValueKind::kRow ? ", \n " : ", ";
}

void px_put_stripped_value(RowReceiver* self, TypeNode* node, Datum value, bool is_null) {
  ByteSink* const out = px_begin_scratch(self);
  px_put_value(self, "", 0, node, value, is_null);
  const Datum json = PointerGetDatum(px_end_scratch(self, out));
  const text* const stripped = DatumGetTextPP(DirectFunctionCall1(json_strip_nulls, json));
  px_append(out, VARDATA_ANY(stripped), VARSIZE_ANY_EXHDR(stripped));
}

bool px_receive_value(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  const bool stripped = self->format == RowFormat::kJsonValuesStripped ||
                        self->format == RowFormat::kJsonValueStripped;
  const bool array =
      self->format == RowFormat::kJsonValues || self->format == RowFormat::kJsonValuesStripped;
  if (self->rows++ > 0 && !array) return true;
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  TypeNode* const node = &self->columns[0].type;
  const Datum value = slot->tts_values[0];
  const bool is_null = slot->tts_isnull[0];
  if (unlikely(node->kind == ValueKind::kUnknown) && !is_null) px_resolve_json(self, node);
  if (array) {
    const char* const before = self->rows == 1 ? "[" : stripped ? "," : value_separator(node);
    px_append(self->out, before, std::strlen(before));
  }
  if (stripped) {
    px_put_stripped_value(self, node, value, is_null);
  } else if (!array && !is_null) {
    px_put_trimmed_json(self, node, value);
  } else {
    px_put_value(self, "", 0, node, value, is_null);
  }
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

bool px_receive_object(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  if (self->rows++ > 0) return true;
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  px_put_columns(self, self->columns, nullptr, self->column_count, slot->tts_values,
                 slot->tts_isnull);
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

// In the type's binary form: of text and bytea the bytes as they are.
bool px_receive_raw(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  slot_getallattrs(slot);
  self->rows = static_cast<uint64>(DatumGetInt64(slot->tts_values[0]));
  if (slot->tts_isnull[1]) return true;
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  Oid function;
  bool is_varlena;
  getTypeBinaryOutputInfo(self->columns[1].type.type, &function, &is_varlena);
  const bytea* const bytes = OidSendFunctionCall(function, slot->tts_values[1]);
  px_append(self->out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

bool px_receive_line(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  if (!slot->tts_isnull[0]) {
    TypeNode* const node = &self->columns[0].type;
    px_find_output_function(self, node, node->type);
    const char* const text = OutputFunctionCall(&node->function, slot->tts_values[0]);
    px_append(self->out, text, std::strlen(text));
  }
  px_append(self->out, "\n", 1);
  self->rows++;
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

bool px_receive_record(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  slot_getallattrs(slot);
  const MemoryContext old_cx = MemoryContextSwitchTo(self->row_cx);
  const auto count = static_cast<uint32>(self->column_count);
  px_append(self->out, reinterpret_cast<const char*>(&count), sizeof(count));
  for (int i = 0; i < self->column_count; i++) {
    px_put_plain_value(self, &self->columns[i].type, slot->tts_values[i], slot->tts_isnull[i]);
  }
  self->rows++;
  MemoryContextSwitchTo(old_cx);
  MemoryContextReset(self->row_cx);
  return true;
}

bool px_receive_count(TupleTableSlot*, DestReceiver* receiver) {
  self_of(receiver)->rows++;
  return true;
}

void px_check_size(const RowReceiver* self) {
  if (self->out != nullptr && unlikely(self->out->is_over())) px_too_large();
}

bool px_receive_in_window(TupleTableSlot* slot, DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  if (self->format == RowFormat::kCsvMarked && slot_attisnull(slot, 1)) {
    self->named = true;
    return true;
  }
  const uint64 at = self->total++;
  if (at < self->offset || at - self->offset >= self->limit) return true;
  const bool more = self->receive(slot, receiver);
  px_check_size(self);
  return more;
}

void px_shutdown(DestReceiver*) {}

void px_destroy(DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  if (self->row_cx != nullptr) MemoryContextDelete(self->row_cx);
  self->row_cx = nullptr;
}

}  // namespace

DestReceiver* px_create_row_receiver(RowFormat format, std::uint64_t offset, std::uint64_t limit,
                                     _SPI_plan* plan, ByteSink* out, MemoryContext cx) {
  auto* self = static_cast<RowReceiver*>(MemoryContextAllocZero(cx, sizeof(RowReceiver)));
  self->format = format;
  self->plan = plan;
  self->out = out;
  self->cx = cx;
  self->scratch.init();
  self->free_scratch.func = &px_free_scratch;
  self->free_scratch.arg = self;
  MemoryContextRegisterResetCallback(cx, &self->free_scratch);
  switch (format) {
    case RowFormat::kJsonArray:
      self->pub.receiveSlot = px_receive_json;
      break;
    case RowFormat::kJsonObject:
      self->pub.receiveSlot = px_receive_object;
      break;
    case RowFormat::kJsonValues:
    case RowFormat::kJsonValue:
    case RowFormat::kJsonValuesStripped:
    case RowFormat::kJsonValueStripped:
      self->pub.receiveSlot = px_receive_value;
      break;
    case RowFormat::kJsonArrayStripped:
    case RowFormat::kJsonObjectStripped:
      self->pub.receiveSlot = px_receive_stripped;
      break;
    case RowFormat::kCsvMarked:
      self->first_column = 1;
      self->pub.receiveSlot = px_receive_csv;
      break;
    case RowFormat::kCsv:
      self->pub.receiveSlot = px_receive_csv;
      break;
    case RowFormat::kGeoJson:
      self->pub.receiveSlot = px_receive_feature;
      px_append(out, kGeoJsonHead, sizeof kGeoJsonHead - 1);
      break;
    case RowFormat::kLines:
      self->pub.receiveSlot = px_receive_line;
      break;
    case RowFormat::kRaw:
      self->pub.receiveSlot = px_receive_raw;
      break;
    case RowFormat::kRecords:
      self->pub.receiveSlot = px_receive_record;
      break;
    case RowFormat::kCountOnly:
      self->pub.receiveSlot = px_receive_count;
      break;
  }
  self->offset = offset;
  self->limit = limit;
  self->receive = self->pub.receiveSlot;
  self->pub.receiveSlot = px_receive_in_window;
  self->pub.rStartup = px_startup;
  self->pub.rShutdown = px_shutdown;
  self->pub.rDestroy = px_destroy;
  // Not DestNone, for which SPI reports a SELECT as a utility statement, nor DestSPI, for which it
  // looks for a tuple table.
  self->pub.mydest = DestTuplestore;
  return &self->pub;
}

void px_finish(DestReceiver* receiver) {
  RowReceiver* const self = self_of(receiver);
  switch (self->format) {
    case RowFormat::kJsonArray:
    case RowFormat::kJsonArrayStripped:
    case RowFormat::kJsonValues:
    case RowFormat::kJsonValuesStripped:
      if (self->rows == 0) px_append(self->out, "[", 1);
      px_append(self->out, "]", 1);
      break;
    case RowFormat::kCsv:
    case RowFormat::kCsvMarked:
      if (self->rows > 0) break;
      if (self->named || self->total > 0) px_put_csv_header(self);
      px_append(self->out, "\n", 1);
      break;
    case RowFormat::kGeoJson:
      px_append(self->out, "]}", 2);
      break;
    case RowFormat::kJsonObject:
    case RowFormat::kJsonObjectStripped:
    case RowFormat::kJsonValue:
    case RowFormat::kJsonValueStripped:
      if (self->rows == 0) px_append(self->out, "null", 4);
      break;
    case RowFormat::kLines:
    case RowFormat::kRaw:
    case RowFormat::kRecords:
    case RowFormat::kCountOnly:
      break;
  }
  px_check_size(self);
}

std::uint64_t px_row_count(const DestReceiver* receiver) {
  return reinterpret_cast<const RowReceiver*>(receiver)->rows;
}

std::uint64_t px_total_count(const DestReceiver* receiver) {
  const auto* self = reinterpret_cast<const RowReceiver*>(receiver);
  return self->format == RowFormat::kRaw ? self->rows : self->total;
}

}  // namespace pgrst::pg
