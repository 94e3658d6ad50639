/* train_place.c -- where the charts of the Train pane stand, and what part of the axis they show. */
#include "train_int.h"

/* ---- layout ------------------------------------------------------------------------------------------------------- */

static void place(TrainState *s, int chart, int row, int col, int rows, int cols)
{
    if (rows >= 4 && cols >= 12 && s->places < TRAIN_CHARTS)
        s->place[s->places++] = (Place){chart, row, col, rows, cols};
}

/* The small charts beside or under the loss: those after it, and the active one in any case. */
static int nth_small(const TrainState *s, int i, int count)
{
    return i == count - 1 && s->active > count ? s->active : i + 1;
}

void train_place(TrainState *s, int top, int rows, bool one)
{
    int small = (int)s->charts - 1;
    if (one || rows < 20 || s->cols < 70) {
        place(s, s->active, top, 0, rows, s->cols);
    } else if (s->cols >= 150 && rows >= 28) {
        int room = rows / 10 > 4 ? rows / 10 : 4, count = small < room ? small : room, width = s->cols * 36 / 100, at = top;
        place(s, 0, top, 0, rows, s->cols - width);
        for (int i = 0; i < count; i++) {
            int high = (rows - (at - top)) / (count - i);
            place(s, nth_small(s, i, count), at, s->cols - width, high, width);
            at += high;
        }
    } else {
        int count = s->cols >= 150 ? 3 : 2, low = rows * 2 / 5, at = 0;
        count = count < small ? count : small;
        place(s, 0, top, 0, rows - low, s->cols);
        for (int i = 0; i < count; i++) {
            int wide = (s->cols - at) / (count - i);
            place(s, nth_small(s, i, count), top + rows - low, at, low, wide);
            at += wide;
        }
    }
}

/* A zoom that touched the end stays at the end while the run goes on: by a quarter of its width at a time, as a
 * picture that moves is a new one. */
void train_follow(TrainState *s)
{
    double low, high;
    train_span(s, &low, &high);
    if (!(s->low < s->high))
        return;
    double width = s->high - s->low;
    const RunRow *run = train_run(s);
    if (run && run->status == RUN_RUNNING && !s->has_cross && s->high < high) {
        s->high = high + width / 4;
        s->low = s->high - width;
    }
}

