{{ algebra_indicator('algebra_by_grade_8', 8) }}
