{{ algebra_indicator('algebra_by_grade_9', 9) }}
