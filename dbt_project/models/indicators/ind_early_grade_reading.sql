{{ state_test_indicator('early_grade_reading', 'early_grade_reading_grade', 'ReadingELA') }}
