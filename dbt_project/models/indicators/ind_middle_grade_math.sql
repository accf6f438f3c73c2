{{ state_test_indicator('middle_grade_math', 'middle_grade_math_grade', 'Mathematics', with_end_of_course=true) }}
