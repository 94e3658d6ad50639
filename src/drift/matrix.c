/* matrix.c -- whole rows of tables as numbers, and the tests that judge them: reconstruction, and the domain
 * classifier. */
#include "drift_int.h"

#include <stdio.h>

#define AREA_LOW 0.45 /* NannyML's; the high one is the test's threshold */
#define OWN_BINS 10   /* chunks of the reference, where it is not said how long they are */

void matrix_release(Matrix *m)
{
    for (size_t k = 0; m->column && k < m->m.columns; k++)
        mem_free(m->column[k]);
    mem_free(m->column);
    mem_free(m->label);
    *m = (Matrix){0};
}

static bool is_feature(const Compared *c)
{
    return text_equal(c->column.role, "feature") && !c->left_out;
}

static bool matrix_room(Matrix *to, size_t columns, size_t rows, Error *err)
{
    *to = (Matrix){.m = {.rows = rows, .columns = columns}};
    to->column = mem_alloc((columns + 1) * sizeof *to->column);
    to->label = mem_alloc(columns + 1);
    to->m.column = (const double *const *)to->column;
    to->m.label = to->label;
    for (size_t k = 0; k < columns; k++)
        if (!(to->column[k] = mem_try((rows + 1) * sizeof(double), err)))
            return false;
    return true;
}

static double value_at(const Column *c, size_t row, Labels *words)
{
    size_t n;
    if (!column_has(c, row))
        return NAN;
    if (c->type == COLUMN_TEXT) {
        const char *text = column_text(c, row, &n);
        return (double)labels_add(words, text, n, 1.0);
    }
    return c->type == COLUMN_DATE ? (double)c->day[row] : column_real(c, row);
}

/* words [columns of c]: made here where NULL, the caller's to destroy. A column that is not there is missing. */
bool matrix_init(Matrix *to, const Dataset *d, const Compare *c, Labels **words, Error *err)
{
    const Schema *s = dataset_schema(d);
    size_t columns = 0, rows = (size_t)dataset_rows(d);
    Arena a = {0};
    for (size_t k = 0; k < c->count; k++)
        columns += is_feature(&c->at[k]);
    if (!matrix_room(to, columns, rows, err))
        return false;
    for (size_t k = 0, j = 0; k < c->count; k++) {
        if (!is_feature(&c->at[k]))
            continue;
        size_t at = schema_find(s, c->at[k].field->name), row = 0;
        ColumnType t = c->at[k].field->type;
        to->label[j] = t == COLUMN_TEXT || t == COLUMN_BOOL;
        words[k] = words[k] ? words[k] : labels_create();
        for (size_t i = 0; i < dataset_chunks(d); i++) {
            Chunk chunk;
            dataset_chunk(d, i, &a, &chunk);
            for (size_t r = 0; r < chunk.rows; r++)
                to->column[j][row++] =
                    at == SIZE_MAX ? (double)NAN : value_at(&chunk.column[at], r, words[k]);
            arena_reset(&a);
        }
        j++;
    }
    arena_release(&a);
    return dataset_sound(d, err);
}

void matrix_pick(Matrix *to, const Matrix *from, const uint32_t *place, uint32_t which)
{
    size_t rows = 0;
    for (size_t i = 0; i < from->m.rows; i++)
        rows += place[i] == which;
    Error none = {0};
    if (!matrix_room(to, from->m.columns, rows, &none))
        to->m.rows = rows = 0;
    for (size_t k = 0; k < from->m.columns && rows; k++) {
        to->label[k] = from->label[k];
        for (size_t i = 0, at = 0; i < from->m.rows; i++)
            if (place[i] == which)
                to->column[k][at++] = from->column[k][i];
    }
}

/* ---- judging ---------------------------------------------------------------------------------------- */

static Band usual_reconstruction(const PcaDrift *p, const Matrix *reference, const Places *own)
{
    double *score = mem_alloc((own->chunks + 1) * sizeof *score);
    for (size_t i = 0; i < own->chunks; i++) {
        Matrix m;
        matrix_pick(&m, reference, own->of, (uint32_t)i);
        score[i] = pca_drift_score(p, &m.m);
        matrix_release(&m);
    }
    Band b = band_of(score, own->chunks, 0.0, INFINITY);
    mem_free(score);
    return b;
}

static void judge(DriftColumn *to, const DriftTest *t, double score, Band usual, size_t n, size_t m)
{
    to->test = t;
    to->statistic = score;
    to->threshold = usual.high;
    to->drifted = !(score >= usual.low && score <= usual.high);
    to->reference_n = n;
    to->current_n = m;
    to->importance = to->reference_mean = to->current_mean = to->reference_deviation =
        to->current_deviation = NAN;
    snprintf(to->note, sizeof to->note, "usual %.3g to %.3g", usual.low, usual.high);
}

static bool judge_chunks(DriftColumn *const *column, const DriftTest *t, const Matrix *r,
                         const Matrix *now, const Places *own, const Places *p, Pool *pool,
                         Error *err)
{
    PcaDrift *pca = NULL;
    Band usual = {AREA_LOW, t->threshold};
    bool reconstructs = t == drift_test("pca_reconstruction"), ok = true;
    if (reconstructs) {
        if (!(pca = pca_drift_fit(&r->m, 0.0, err)))
            return false;
        usual = usual_reconstruction(pca, r, own);
    }
    for (size_t i = 0; ok && i < p->chunks; i++) {
        double score = NAN;
        Matrix m;
        matrix_pick(&m, now, p->of, (uint32_t)i);
        if (pca)
            score = pca_drift_score(pca, &m.m);
        else
            ok = domain_classifier(&r->m, &m.m, 1, pool, &score, err);
        judge(column[i], t, score, usual, r->m.rows, m.m.rows);
        matrix_release(&m);
    }
    pca_drift_destroy(pca);
    return ok;
}

/* Names of rows and constants would tell everything, or nothing: they are left out as in a report. */
static bool leave_out(Compare *c, Error *err)
{
    Arena a = {0};
    size_t left = 0;
    bool ok = true;
    for (size_t k = 0; ok && k < c->count; k++) {
        Gathered r = {.in = c->scratch}, now = {.in = c->scratch};
        const char *name = c->at[k].field->name;
        ok = gather_column(&r, c->reference, name, &a, err) &&
             gather_column(&now, c->current, name, &a, err);
        c->at[k].left_out = ok && column_says_nothing(&c->at[k], &r, &now);
        left += is_feature(&c->at[k]);
        gathered_release(&r);
        gathered_release(&now);
    }
    arena_release(&a);
    return ok &&
           (left > 1 ||
            error_set(err, ERROR_SHAPE,
                      "a test of all features needs two that say something, found %zu", left));
}

bool whole_judge(DriftColumn *const *column, Compare *c, const Places *reference,
                 const Places *current, Pool *pool, Error *err)
{
    Places own = {0};
    Matrix r = {0}, now = {0};
    Labels **words = mem_alloc((c->count + 1) * sizeof *words);
    uint64_t part = dataset_rows(c->reference) / OWN_BINS;
    bool ok = leave_out(c, err) &&
              (reference || places_by_rows(&own, c->reference, NULL, part ? part : 1, 0, err)) &&
              matrix_init(&r, c->reference, c, words, err) &&
              matrix_init(&now, c->current, c, words, err) &&
              judge_chunks(column, c->wanted.at[0], &r, &now, reference ? reference : &own, current,
                           pool, err);
    for (size_t k = 0; k < c->count; k++)
        labels_destroy(words[k]);
    mem_free(words);
    matrix_release(&r);
    matrix_release(&now);
    places_release(&own);
    return ok;
}
