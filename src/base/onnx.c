/* onnx.c -- an ONNX model while it is written (onnx.ai, IR version 8, operators 17, ai.onnx.ml 3).
 *
 * The messages are protobuf-c's, made at build time from ONNX's own onnx.proto; without the packages
 * for that a build has no ONNX and onnx_create says so. */
#include <lathe/base.h>

#include <assert.h>
#include <string.h>

#ifndef LATHE_ONNX

Onnx *onnx_create(Error *err)
{
    error_set(
        err, ERROR_USAGE,
        "this lathe was built without ONNX: install libprotobuf-c-dev, protobuf-c-compiler and"
        " libonnx-dev, and build it again");
    return NULL;
}

#define ABSENT assert(!"there is no Onnx in this build"), (void)o

// clang-format off
void onnx_destroy(Onnx *o) { (void)o; }
const char *onnx_input(Onnx *o, const char *n, OnnxType t, size_t w, const char *a) { ABSENT, (void)n, (void)t, (void)w, (void)a; return NULL; }
void onnx_output(Onnx *o, const char *v, const char *n, OnnxType t, size_t w, const char *a) { ABSENT, (void)v, (void)n, (void)t, (void)w, (void)a; }
void onnx_note(Onnx *o, const char *k, const char *t) { ABSENT, (void)k, (void)t; }
const char *onnx_floats(Onnx *o, const float *at, size_t r, size_t c) { ABSENT, (void)at, (void)r, (void)c; return NULL; }
const char *onnx_reals(Onnx *o, const double *at, size_t r, size_t c) { ABSENT, (void)at, (void)r, (void)c; return NULL; }
const char *onnx_wholes(Onnx *o, const int64_t *at, size_t n) { ABSENT, (void)at, (void)n; return NULL; }
const char *onnx_float(Onnx *o, float v) { ABSENT, (void)v; return NULL; }
const char *onnx_real(Onnx *o, double v) { ABSENT, (void)v; return NULL; }
const char *onnx_whole(Onnx *o, int64_t v) { ABSENT, (void)v; return NULL; }
const char *onnx_node(Onnx *o, const char *op, ...) { ABSENT, (void)op; return NULL; }
const char *onnx_node_of(Onnx *o, const char *op, const char *const *i, size_t n) { ABSENT, (void)op, (void)i, (void)n; return NULL; }
const char *onnx_cast(Onnx *o, const char *x, OnnxType t) { ABSENT, (void)x, (void)t; return NULL; }
const char *onnx_reshape(Onnx *o, const char *x, const int64_t *s, size_t r) { ABSENT, (void)x, (void)s, (void)r; return NULL; }
const char *onnx_join(Onnx *o, const char *const *x, size_t n) { ABSENT, (void)x, (void)n; return NULL; }
void onnx_set_whole(Onnx *o, const char *k, int64_t v) { ABSENT, (void)k, (void)v; }
void onnx_set_wholes(Onnx *o, const char *k, const int64_t *at, size_t n) { ABSENT, (void)k, (void)at, (void)n; }
void onnx_set_float(Onnx *o, const char *k, float v) { ABSENT, (void)k, (void)v; }
void onnx_set_floats(Onnx *o, const char *k, const float *at, size_t n) { ABSENT, (void)k, (void)at, (void)n; }
void onnx_set_text(Onnx *o, const char *k, const char *v) { ABSENT, (void)k, (void)v; }
void onnx_set_texts(Onnx *o, const char *k, const char *const *at, const size_t *s, size_t n) { ABSENT, (void)k, (void)at, (void)s, (void)n; }
bool onnx_write(const Onnx *o, Text *into, Error *err) { ABSENT, (void)into, (void)err; return false; }
// clang-format on

#else

#include <onnx.pb-c.h> /* made by the build */

#define IR_VERSION      8
#define OPERATORS       17
#define ML_OPERATORS    3
#define ATTRIBUTES_MOST 24
#define INPUTS_MOST     16

struct Onnx {
    Arena arena;
    VEC(Onnx__NodeProto *) node;
    VEC(Onnx__TensorProto *) constant;
    VEC(Onnx__ValueInfoProto *) input, output;
    VEC(Onnx__StringStringEntryProto *) note;
    size_t values;
    bool ml; /* some node is of ai.onnx.ml */
};

/* A message in the arena, at its beginning. */
#define MESSAGE(o, type, init)                                                                     \
    ({                                                                                             \
        type *message_ = ARENA_NEW(&(o)->arena, type, 1);                                          \
        type##_##init(message_);                                                                   \
        message_;                                                                                  \
    })
#define Onnx__NodeProto_init(m)              onnx__node_proto__init(m)
#define Onnx__TensorProto_init(m)            onnx__tensor_proto__init(m)
#define Onnx__ValueInfoProto_init(m)         onnx__value_info_proto__init(m)
#define Onnx__AttributeProto_init(m)         onnx__attribute_proto__init(m)
#define Onnx__StringStringEntryProto_init(m) onnx__string_string_entry_proto__init(m)
#define NEW(o, type)                         MESSAGE(o, type, init)

static void *keep(Onnx *o, const void *from, size_t size)
{
    void *own = arena_alloc(&o->arena, size + 1);
    if (size)
        memcpy(own, from, size);
    return own;
}

Onnx *onnx_create(Error *err)
{
    (void)err;
    return mem_alloc(sizeof(Onnx));
}

void onnx_destroy(Onnx *o)
{
    if (!o)
        return;
    vec_release(&o->node);
    vec_release(&o->constant);
    vec_release(&o->input);
    vec_release(&o->output);
    vec_release(&o->note);
    arena_release(&o->arena);
    mem_free(o);
}

/* ---- values ----------------------------------------------------------------------------------------- */

static char *new_name(Onnx *o, const char *what)
{
    return arena_printf(&o->arena, "%s_%zu", what, o->values++);
}

/* float32 [rows, width] */
static Onnx__TypeProto *table_type(Onnx *o, OnnxType type, size_t width)
{
    Onnx__TensorShapeProto__Dimension **dim =
        ARENA_NEW(&o->arena, Onnx__TensorShapeProto__Dimension *, 2);
    for (size_t i = 0; i < 2; i++) {
        dim[i] = ARENA_NEW(&o->arena, Onnx__TensorShapeProto__Dimension, 1);
        onnx__tensor_shape_proto__dimension__init(dim[i]);
    }
    dim[0]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    dim[0]->dim_param = arena_text(&o->arena, "rows");
    dim[1]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    dim[1]->dim_value = (int64_t)width;
    Onnx__TensorShapeProto *shape = ARENA_NEW(&o->arena, Onnx__TensorShapeProto, 1);
    onnx__tensor_shape_proto__init(shape);
    shape->n_dim = 2;
    shape->dim = dim;
    Onnx__TypeProto__Tensor *tensor = ARENA_NEW(&o->arena, Onnx__TypeProto__Tensor, 1);
    onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = true;
    tensor->elem_type = (int32_t)type;
    tensor->shape = shape;
    Onnx__TypeProto *own = ARENA_NEW(&o->arena, Onnx__TypeProto, 1);
    onnx__type_proto__init(own);
    own->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    own->tensor_type = tensor;
    return own;
}

static Onnx__ValueInfoProto *value_info(Onnx *o, const char *name, OnnxType type, size_t width,
                                        const char *about)
{
    Onnx__ValueInfoProto *v = NEW(o, Onnx__ValueInfoProto);
    v->name = arena_text(&o->arena, name);
    v->type = table_type(o, type, width);
    v->doc_string = about ? arena_text(&o->arena, about) : NULL;
    return v;
}

const char *onnx_input(Onnx *o, const char *name, OnnxType type, size_t width, const char *about)
{
    Onnx__ValueInfoProto *v = value_info(o, name, type, width, about);
    vec_add(&o->input, v);
    return v->name;
}

void onnx_output(Onnx *o, const char *value, const char *name, OnnxType type, size_t width,
                 const char *about)
{
    onnx_node(o, "Identity", value, NULL);
    (*vec_last(&o->node))->output[0] = arena_text(&o->arena, name);
    vec_add(&o->output, value_info(o, name, type, width, about));
}

void onnx_note(Onnx *o, const char *key, const char *text)
{
    Onnx__StringStringEntryProto *e = NEW(o, Onnx__StringStringEntryProto);
    e->key = arena_text(&o->arena, key);
    e->value = arena_text(&o->arena, text);
    vec_add(&o->note, e);
}

/* ---- constants --------------------------------------------------------------------------------------- */

static const char *constant(Onnx *o, OnnxType type, const void *at, size_t size,
                            const int64_t *dims, size_t rank)
{
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    Onnx__TensorProto *t = NEW(o, Onnx__TensorProto);
    t->name = new_name(o, "constant");
    t->n_dims = rank;
    t->dims = keep(o, dims, rank * sizeof *dims);
    t->has_data_type = true;
    t->data_type = (int32_t)type;
    t->has_raw_data = true; /* little-endian, as every machine this runs on */
    t->raw_data.len = count * size;
    t->raw_data.data = keep(o, at, count * size);
    vec_add(&o->constant, t);
    return t->name;
}

const char *onnx_floats(Onnx *o, const float *at, size_t rows, size_t cols)
{
    return constant(o, ONNX_FLOAT, at, sizeof *at, (int64_t[]){(int64_t)rows, (int64_t)cols},
                    cols ? 2 : 1);
}

const char *onnx_reals(Onnx *o, const double *at, size_t rows, size_t cols)
{
    return constant(o, ONNX_REAL, at, sizeof *at, (int64_t[]){(int64_t)rows, (int64_t)cols},
                    cols ? 2 : 1);
}

const char *onnx_wholes(Onnx *o, const int64_t *at, size_t n)
{
    return constant(o, ONNX_WHOLE, at, sizeof *at, (int64_t[]){(int64_t)n}, 1);
}

const char *onnx_float(Onnx *o, float value)
{
    return onnx_floats(o, &value, 1, 0);
}

const char *onnx_real(Onnx *o, double value)
{
    return onnx_reals(o, &value, 1, 0);
}

const char *onnx_whole(Onnx *o, int64_t value)
{
    return constant(o, ONNX_WHOLE, &value, sizeof value, NULL, 0);
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

const char *onnx_node_of(Onnx *o, const char *op, const char *const *input, size_t n)
{
    bool ml = text_starts(op, "ml.");
    Onnx__NodeProto *node = NEW(o, Onnx__NodeProto);
    node->op_type = arena_text(&o->arena, ml ? op + 3 : op);
    node->domain = ml ? arena_text(&o->arena, "ai.onnx.ml") : node->domain;
    node->name = new_name(o, node->op_type);
    node->n_input = n;
    node->input = ARENA_NEW(&o->arena, char *, n + 1);
    for (size_t i = 0; i < n; i++)
        node->input[i] = arena_text(&o->arena, input[i]);
    node->n_output = 1;
    node->output = ARENA_NEW(&o->arena, char *, 1);
    node->output[0] = arena_printf(&o->arena, "%s_out", node->name);
    node->attribute = ARENA_NEW(&o->arena, Onnx__AttributeProto *, ATTRIBUTES_MOST);
    o->ml |= ml;
    vec_add(&o->node, node);
    return node->output[0];
}

const char *onnx_node(Onnx *o, const char *op, ...)
{
    const char *input[INPUTS_MOST];
    size_t n = 0;
    va_list args;
    va_start(args, op);
    for (const char *x; (x = va_arg(args, const char *));) {
        assert(n < INPUTS_MOST);
        input[n++] = x;
    }
    va_end(args);
    return onnx_node_of(o, op, input, n);
}

static Onnx__AttributeProto *attribute(Onnx *o, const char *key,
                                       Onnx__AttributeProto__AttributeType type)
{
    Onnx__NodeProto *node = *vec_last(&o->node);
    assert(node->n_attribute < ATTRIBUTES_MOST);
    Onnx__AttributeProto *a = NEW(o, Onnx__AttributeProto);
    a->name = arena_text(&o->arena, key);
    a->has_type = true;
    a->type = type;
    node->attribute[node->n_attribute++] = a;
    return a;
}

void onnx_set_whole(Onnx *o, const char *key, int64_t value)
{
    Onnx__AttributeProto *a = attribute(o, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = true;
    a->i = value;
}

void onnx_set_wholes(Onnx *o, const char *key, const int64_t *at, size_t n)
{
    Onnx__AttributeProto *a = attribute(o, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = n;
    a->ints = keep(o, at, n * sizeof *at);
}

void onnx_set_float(Onnx *o, const char *key, float value)
{
    Onnx__AttributeProto *a = attribute(o, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = true;
    a->f = value;
}

void onnx_set_floats(Onnx *o, const char *key, const float *at, size_t n)
{
    Onnx__AttributeProto *a = attribute(o, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
    a->n_floats = n;
    a->floats = keep(o, at, n * sizeof *at);
}

static ProtobufCBinaryData bytes_of(Onnx *o, const char *text, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = keep(o, text, size)};
}

void onnx_set_text(Onnx *o, const char *key, const char *value)
{
    Onnx__AttributeProto *a = attribute(o, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = true;
    a->s = bytes_of(o, value, strlen(value));
}

void onnx_set_texts(Onnx *o, const char *key, const char *const *at, const size_t *size, size_t n)
{
    Onnx__AttributeProto *a = attribute(o, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
    a->n_strings = n;
    a->strings = ARENA_NEW(&o->arena, ProtobufCBinaryData, n + 1);
    for (size_t i = 0; i < n; i++)
        a->strings[i] = bytes_of(o, at[i], size ? size[i] : strlen(at[i]));
}

/* ---- what is wanted often -------------------------------------------------------------------------------- */

const char *onnx_cast(Onnx *o, const char *x, OnnxType to)
{
    const char *y = onnx_node(o, "Cast", x, NULL);
    onnx_set_whole(o, "to", to);
    return y;
}

const char *onnx_reshape(Onnx *o, const char *x, const int64_t *shape, size_t rank)
{
    return onnx_node(o, "Reshape", x, onnx_wholes(o, shape, rank), NULL);
}

const char *onnx_join(Onnx *o, const char *const *x, size_t n)
{
    if (n == 1)
        return x[0];
    const char *y = onnx_node_of(o, "Concat", x, n);
    onnx_set_whole(o, "axis", -1);
    return y;
}

/* ---- the file ---------------------------------------------------------------------------------------------- */

typedef struct TextBuffer {
    ProtobufCBuffer base;
    Text *into;
} TextBuffer;

static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *at)
{
    text_add(((TextBuffer *)buffer)->into, (const char *)at, n);
}

bool onnx_write(const Onnx *o, Text *into, Error *err)
{
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    graph.name = (char[]){"lathe"};
    graph.n_node = o->node.count, graph.node = o->node.at;
    graph.n_initializer = o->constant.count, graph.initializer = o->constant.at;
    graph.n_input = o->input.count, graph.input = o->input.at;
    graph.n_output = o->output.count, graph.output = o->output.at;
    Onnx__OperatorSetIdProto set[2] = {ONNX__OPERATOR_SET_ID_PROTO__INIT,
                                       ONNX__OPERATOR_SET_ID_PROTO__INIT};
    set[0].has_version = set[1].has_version = true;
    set[0].domain = (char[]){""};
    set[0].version = OPERATORS;
    set[1].domain = (char[]){"ai.onnx.ml"};
    set[1].version = ML_OPERATORS;
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    model.has_ir_version = true;
    model.ir_version = IR_VERSION;
    model.n_opset_import = o->ml ? 2 : 1;
    model.opset_import = (Onnx__OperatorSetIdProto *[]){&set[0], &set[1]};
    model.producer_name = (char[]){"lathe"};
    model.producer_version = (char[]){LATHE_VERSION};
    model.graph = &graph;
    model.n_metadata_props = o->note.count, model.metadata_props = o->note.at;
    if (onnx__model_proto__get_packed_size(&model) >= INT32_MAX)
        return error_set(err, ERROR_SPACE,
                         "the model is larger than the 2 GB an ONNX file can hold");
    TextBuffer buffer = {.base = {.append = append}, .into = into};
    onnx__model_proto__pack_to_buffer(&model, &buffer.base);
    return true;
}

#endif
